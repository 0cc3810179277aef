//! What may be sent to other threads and shared, and that all of it can be shown: compiled, so it holds.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::rc::Rc;

use dewar::bridge::{self, ContextVar, sync};

/// `StaysHere<_>` compiles for types that are not `Send` only: one that is fits both impls, and rustc cannot tell which one is
/// meant.
trait StaysHere<A> {
    fn check() {}
}

impl<T: ?Sized> StaysHere<()> for T {}
impl<T: ?Sized + Send> StaysHere<u8> for T {}

fn shared<T: Send + Sync + Debug>() {}
fn sent<T: Send + Debug>() {}
fn shown<T: Debug>() {}
fn an_error<T: Error + Send + Sync + 'static>() {}

/// May be moved to another thread, but not shared.
type Sendable = Cell<u8>;
/// Neither.
type Local = Rc<u8>;

#[test]
fn handles_go_to_every_thread() {
    shared::<bridge::Task<u8>>();
    // The value alone is sent: a handle may be shared where its value may not.
    sent::<bridge::Task<Sendable>>();
    shared::<bridge::TaskInfo>();
    shared::<bridge::TaskState>();
    shared::<bridge::LoopHandle>();
    shared::<bridge::CallHandle>();
    shared::<bridge::LoopPolicy>();
    shared::<bridge::Leash>();
    shared::<bridge::Periodic>();
    shared::<bridge::Interval>();
    sent::<bridge::Sleep>();
    shared::<bridge::Stats>();
    shared::<bridge::UnblockStats>();
    shared::<ContextVar<Sendable>>();
}

#[test]
fn tools_are_shared_by_all_threads() {
    shared::<bridge::RateLimiter>();
    shared::<bridge::KeyedRateLimiter<String>>();
    shared::<bridge::Retry<'_, Local>>();
    shared::<bridge::Memo<String, u8>>();
    sent::<bridge::TaskBuilder>();
    shared::<sync::Lock<Sendable>>();
    shared::<sync::LockGuard<'_, u8>>();
    sent::<sync::LockGuardArc<Sendable>>();
    shared::<sync::Event>();
    shared::<sync::Condition>();
    shared::<sync::Semaphore>();
    shared::<sync::SemaphorePermit<'_>>();
    shared::<sync::SemaphorePermitArc>();
    shared::<sync::BoundedSemaphore>();
    shared::<sync::Queue<Sendable>>();
    shared::<sync::PriorityQueue<u8>>();
    sent::<sync::Sender<Sendable>>();
    sent::<sync::Receiver<Sendable>>();
}

#[test]
fn what_belongs_to_a_thread_stays_there() {
    <bridge::EventLoop as StaysHere<_>>::check();
    <bridge::Held as StaysHere<_>>::check();
    <bridge::TaskGroup<'_, ()> as StaysHere<_>>::check();
    <bridge::GroupTask<u8> as StaysHere<_>>::check();
    <bridge::Task<Local> as StaysHere<_>>::check();
    <sync::Lock<Local> as StaysHere<_>>::check();
    <sync::Queue<Local> as StaysHere<_>>::check();
    <sync::Sender<Local> as StaysHere<_>>::check();
    shown::<bridge::EventLoop>();
    shown::<bridge::Held>();
    shown::<bridge::TaskGroup<'_, ()>>();
    shown::<bridge::GroupTask<Local>>();
}

#[test]
fn errors_fit_the_question_mark_of_a_handler() {
    an_error::<bridge::BridgeError>();
    an_error::<bridge::TaskError>();
    an_error::<bridge::Elapsed>();
    an_error::<bridge::RetryAfter>();
    an_error::<bridge::GroupError<bridge::BridgeError>>();
    an_error::<sync::Closed<u8>>();
    an_error::<sync::TryPutError<u8>>();
    an_error::<sync::TryGetError>();
    an_error::<sync::DoneTooOften>();
    an_error::<sync::ReleasedTooMany>();
    an_error::<sync::Dropped>();
    an_error::<sync::TryRecvError>();
}
