//! Panics in tasks, destructors and wakers: who hears of them, and that nobody else suffers.

use std::cell::OnceCell;
use std::future::{Future, pending};
use std::panic;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, BridgeError, TaskError, luggage};

use crate::support;

#[test]
fn a_panic_in_a_task_is_delivered_and_harms_nothing_else() {
    let log = support::log_capture();
    bridge::block_on(async {
        let bad = bridge::spawn_named("bad task", async { panic!("number {}", 7) });
        let good = bridge::spawn(async { 1 });
        match bad.await.unwrap_err() {
            TaskError::Panicked { message, name, spawned_at } => {
                assert_eq!(message, "number 7");
                assert_eq!(name.as_deref(), Some("bad task"));
                assert_eq!(spawned_at.file(), file!());
            }
            other => panic!("{other}"),
        }
        assert_eq!(good.await.unwrap(), 1);
        let odd = bridge::spawn(async { panic::panic_any(1_u8) });
        assert!(odd.await.unwrap_err().is_panic());
        assert_eq!(bridge::spawn(async { 2 }).await.unwrap(), 2);
    })
    .unwrap();
    assert_eq!(log.with("bad task"), [""; 0], "delivered, so not logged");
}

#[test]
fn a_panic_that_nobody_asks_for_is_logged() {
    let log = support::log_capture();
    bridge::block_on(async {
        bridge::spawn_named("unheard 1", async { panic!("oh") }).detach();
        let dropped_later = bridge::spawn_named("unheard 2", async { panic!("oh") });
        while !dropped_later.is_finished() {
            bridge::yield_now().await;
        }
    })
    .unwrap();
    for name in ["unheard 1", "unheard 2"] {
        let errors = log.with(name);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with("ERROR") && errors[0].ends_with(": oh"), "{errors:?}");
    }
}

#[test]
fn panics_in_destructors_and_wakers_harm_no_loop() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic!("in a destructor");
            }
        }
    }
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }
    let armed = || async {
        let _bomb = Bomb;
        pending::<()>().await
    };
    // cancelled: the destructor panics, the task is cancelled nevertheless
    bridge::block_on(async {
        let task = bridge::spawn(armed());
        bridge::yield_now().await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        bridge::spawn(armed()).detach(); // swept
        bridge::yield_now().await;
        // a value that nobody takes
        bridge::spawn(async { Bomb }).detach();
        bridge::yield_now().await;
        bridge::yield_now().await;
    })
    .unwrap();
    let shared = bridge::spawn_shared(armed());
    shared.cancel();
    assert!(matches!(shared.join(), Err(BridgeError::Task(e)) if e.is_cancelled()));
    let (go, gone) = mpsc::channel::<()>();
    let value_that_nobody_takes = bridge::spawn_shared(async move {
        let _ = gone.recv();
        Bomb
    });
    value_that_nobody_takes.detach();
    drop(go);
    // a waker that panics when the shared loop wakes it
    let (go, gone) = mpsc::channel::<()>();
    let mut waited = bridge::spawn_shared(async move { gone.recv().is_err() });
    let waker = Waker::from(Arc::new(Bomb));
    assert!(Pin::new(&mut waited).poll(&mut Context::from_waker(&waker)).is_pending());
    std::mem::forget(waker); // Bomb's destructor is not what is tested
    drop(go);
    assert_eq!(bridge::spawn_shared(async { 3 }).join().unwrap(), 3);
    assert!(waited.join().unwrap());
}

#[test]
fn spawn_outside_of_a_fragment_panics_at_the_caller() {
    let seen = Arc::new(Mutex::new(None));
    let line = thread::spawn({
        let seen = Arc::clone(&seen);
        move || {
            let said = support::panic_message(|| bridge::spawn(async {}));
            *seen.lock().unwrap() = Some(said);
            // and where: the hook sees the location
            let before = panic::take_hook();
            let place = Arc::new(Mutex::new(None));
            let told = Arc::clone(&place);
            let here = thread::current().id();
            panic::set_hook(Box::new(move |info| {
                if thread::current().id() == here {
                    let at = info.location().unwrap();
                    *told.lock().unwrap() = Some((at.file().to_owned(), at.line()));
                } else {
                    before(info);
                }
            }));
            let line = line!() + 1;
            support::panic_message(|| bridge::spawn_named("x", async {}));
            let _ = panic::take_hook();
            assert_eq!(*place.lock().unwrap(), Some((file!().to_owned(), line)));
        }
    });
    line.join().unwrap();
    let said = seen.lock().unwrap().take().unwrap();
    for part in ["running fragment", "block_on", "spawn_shared"] {
        assert!(said.contains(part), "{said}");
    }
    // nor on the shared loop
    let error = bridge::spawn_shared(async { bridge::spawn(async {}).detach() }).join();
    assert!(error.unwrap_err().to_string().contains("running fragment"));
}

/// What calls the bridge when it is dropped, and tells what came of it.
struct AtItsEnd(mpsc::Sender<String>);

impl Drop for AtItsEnd {
    fn drop(&mut self) {
        let fragment = bridge::block_on(async {
            bridge::sleep(Duration::from_millis(1)).await;
            bridge::spawn(async { 1 }).await.unwrap()
        });
        let shared = bridge::spawn_shared(async { 2 }).join();
        let unblocked = bridge::unblock(|| 3).join();
        let came = [fragment, shared, unblocked].map(|result| match result {
            Ok(number) => number.to_string(),
            Err(BridgeError::Nested { .. }) => "nested".to_owned(),
            Err(BridgeError::WouldDeadlock { .. }) => "would deadlock".to_owned(),
            Err(other) => other.to_string(),
        });
        self.0.send(came.join(", ")).unwrap();
    }
}

#[test]
fn thread_locals_may_use_the_bridge_when_their_thread_ends() {
    thread_local! {
        static FIRST: OnceCell<AtItsEnd> = const { OnceCell::new() };
        static LAST: OnceCell<AtItsEnd> = const { OnceCell::new() };
    }
    let (came, all) = mpsc::channel();
    thread::spawn(move || {
        // One is dropped before what the bridge has on the thread, one after it.
        FIRST.with(|cell| cell.set(AtItsEnd(came.clone())).ok());
        bridge::block_on(async { bridge::spawn(bridge::yield_now()).await.unwrap() }).unwrap();
        assert_eq!(bridge::spawn_shared(async { 1 }).join().unwrap(), 1);
        LAST.with(|cell| cell.set(AtItsEnd(came)).ok());
    })
    .join()
    .unwrap();
    assert_eq!(all.iter().collect::<Vec<_>>(), ["1, 2, 3"; 2]);
}

#[test]
fn destructors_cannot_block_the_shared_loop() {
    let (came, all) = mpsc::channel();
    // dropped when it is cancelled: one that was polled, and (perhaps) one that was not
    for _ in 0..2 {
        let at_end = AtItsEnd(came.clone());
        let task = bridge::spawn_shared(async move {
            let _at_end = at_end;
            pending::<()>().await
        });
        task.cancel();
        assert!(task.join().is_err());
        assert_eq!(all.recv().unwrap(), "nested, would deadlock, 3");
    }
    // a value that nobody takes
    let at_end = AtItsEnd(came.clone());
    let (go, gone) = mpsc::channel::<()>();
    bridge::spawn_shared(async move {
        let _ = gone.recv();
        at_end
    })
    .detach();
    drop(go);
    assert_eq!(all.recv().unwrap(), "nested, would deadlock, 3");
    // luggage that has no other owner
    let (go, gone) = mpsc::channel::<()>();
    {
        let at_end: luggage::Luggage = Arc::new(Mutex::new(AtItsEnd(came)));
        let _packed = luggage::pack(Some(at_end));
        bridge::spawn_shared(async move { gone.recv().is_err() }).detach();
    }
    drop(go);
    assert_eq!(all.recv().unwrap(), "nested, would deadlock, 3");
}

#[test]
fn a_payload_or_a_logger_that_panics_harms_no_thread() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic::panic_any(Bomb2);
        }
    }
    struct Bomb2;
    impl Drop for Bomb2 {
        fn drop(&mut self) {
            panic!("another one");
        }
    }
    for error in [
        bridge::unblock(|| panic::panic_any(Bomb)).join(),
        bridge::spawn_shared(async { panic::panic_any(Bomb) }).join(),
    ] {
        assert!(matches!(error, Err(BridgeError::Task(e)) if e.is_panic()));
    }
    // What is logged is formatted by the logger, which panics at these words.
    let log = support::log_capture();
    let words = format!("{} on the shared loop", support::LOGGER_PANICS);
    bridge::spawn_shared(async move { panic!("{words}") }).detach();
    assert_eq!(bridge::spawn_shared(async { 1 }).join().unwrap(), 1);
    let words = format!("{} in the blocking pool", support::LOGGER_PANICS);
    bridge::unblock(move || panic!("{words}")).detach();
    assert_eq!(bridge::unblock(|| 2).join().unwrap(), 2);
    bridge::block_on(async {
        let name = format!("{} at the end", support::LOGGER_PANICS);
        bridge::spawn_named(name, pending::<()>()).detach();
        bridge::yield_now().await;
    })
    .unwrap();
    assert_eq!(log.with(support::LOGGER_PANICS), [""; 0]);
}

#[test]
fn luggage_that_panics_when_it_is_unpacked_in_an_unwinding_does_not_end_the_process() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let said = support::panic_message(|| {
        let _packed = luggage::pack(Some(Arc::new(Bomb)));
        panic!("the first one")
    });
    assert_eq!(said, "the first one");
    assert!(luggage::current().is_none());
}
