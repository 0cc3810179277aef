//! A task's life: its states, its cancel at every moment of it, its callbacks, and who can see it.

use std::future::{Future, pending, poll_fn};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, BridgeError, Task, TaskBuilder, TaskState};

use crate::support::{self, Trace};

use super::all_policies;

type Spawn = fn(BoxFuture) -> Task<()>;

/// The ways to spawn a future that is `Send`.
const SPAWNS: [(&str, Spawn); 2] =
    [("local", |future| bridge::spawn(future)), ("shared", |future| bridge::spawn_shared(future))];

type BoxFuture = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Comes back when `is_so` says so; something else has to wake the loop, or to take its turns.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        bridge::yield_now().await;
    }
}

/// A future that waits until it is sent something, and says when it waits.
fn waiting(begun: mpsc::Sender<()>) -> BoxFuture {
    Box::pin(async move {
        begun.send(()).unwrap();
        pending::<()>().await;
    })
}

#[test]
fn the_states_come_in_their_order() {
    for policy in all_policies() {
        for (name, spawn) in SPAWNS {
            bridge::block_on_with(policy, async {
                let seen = Arc::new(Mutex::new(Vec::new()));
                let inside = Arc::clone(&seen);
                let (go, mut going) = futures_channel();
                let task = spawn(Box::pin(async move {
                    inside.lock().unwrap().push(bridge::current_task().unwrap().state());
                    (&mut going).await;
                    inside.lock().unwrap().push(bridge::current_task().unwrap().state());
                }));
                if name == "local" {
                    assert_eq!(task.state(), TaskState::Pending);
                }
                until(|| task.state() == TaskState::Waiting).await;
                go.send();
                until(|| task.is_finished()).await;
                assert_eq!(task.state(), TaskState::Done, "{name} {policy:?}");
                assert!(task.state().is_finished());
                assert_eq!(*seen.lock().unwrap(), [TaskState::Running; 2]);
                task.await.unwrap();
                let ends: [(BoxFuture, TaskState); 2] = [
                    (Box::pin(async { panic!("failed for the sake of its state") }), TaskState::Failed),
                    (Box::pin(pending()), TaskState::Cancelled),
                ];
                for (future, end) in ends {
                    let task = spawn(future);
                    if end == TaskState::Cancelled {
                        task.cancel();
                    }
                    until(|| task.is_finished()).await;
                    assert_eq!(task.state(), end);
                    assert!(task.await.is_err());
                }
            })
            .unwrap();
        }
    }
}

/// A gate that is opened from anywhere, once.
fn futures_channel() -> (Gate, impl Future<Output = ()> + Send + Unpin) {
    let shared = Arc::new((Mutex::new(false), Mutex::new(None::<std::task::Waker>)));
    let far = Arc::clone(&shared);
    let future = poll_fn(move |cx| {
        *far.1.lock().unwrap() = Some(cx.waker().clone());
        if *far.0.lock().unwrap() { Poll::Ready(()) } else { Poll::Pending }
    });
    (Gate(shared), future)
}

struct Gate(Arc<(Mutex<bool>, Mutex<Option<std::task::Waker>>)>);

impl Gate {
    fn send(&self) {
        *self.0.0.lock().unwrap() = true;
        let waker = self.0.1.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// When a task is cancelled.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    BeforeItBegins,
    WhileItWaits,
    WhileItRuns,
    AfterItsEnd,
}

#[test]
fn a_cancel_at_any_moment_from_anywhere_once_or_twice() {
    for policy in all_policies() {
        for (spawn_name, spawn) in SPAWNS {
            for when in [When::BeforeItBegins, When::WhileItWaits, When::WhileItRuns, When::AfterItsEnd] {
                for (is_far, times) in [(false, 1), (false, 2), (true, 1), (true, 2)] {
                    let case = format!("{policy:?} {spawn_name} {when:?} far {is_far} {times}");
                    let counted = Arc::new(());
                    let inside = Arc::clone(&counted);
                    bridge::block_on_with(policy, async {
                        let (begun, beginning) = mpsc::channel();
                        let task = spawn(Box::pin(async move {
                            let _inside = inside;
                            begun.send(()).unwrap();
                            if when == When::WhileItRuns {
                                bridge::current_task().unwrap().cancel();
                            }
                            if when != When::AfterItsEnd {
                                pending::<()>().await;
                            }
                        }));
                        match when {
                            When::BeforeItBegins => {}
                            When::WhileItWaits => until(|| task.state() == TaskState::Waiting).await,
                            When::WhileItRuns => until(|| beginning.try_recv().is_ok()).await,
                            When::AfterItsEnd => until(|| task.is_finished()).await,
                        }
                        for _ in 0..times {
                            if is_far {
                                thread::scope(|scope| scope.spawn(|| task.cancel()).join().unwrap());
                            } else {
                                task.cancel();
                            }
                        }
                        let result = task.await;
                        match when {
                            When::AfterItsEnd => result.unwrap(),
                            _ => assert!(result.unwrap_err().is_cancelled(), "{case}"),
                        }
                        assert_eq!(Arc::strong_count(&counted), 1, "{case}: the future is gone before the result");
                    })
                    .unwrap();
                }
            }
        }
    }
}

#[test]
fn on_cancel_runs_when_the_future_is_gone_and_within_its_bound() {
    let long = Duration::from_secs(600);
    let log = support::log_capture();
    for policy in all_policies() {
        for is_shared in [false, true] {
            for (bound, is_in_time) in [(long, true), (Duration::ZERO, false)] {
                let trace = Trace::default();
                struct Say(Trace, &'static str);
                impl Drop for Say {
                    fn drop(&mut self) {
                        self.0.add(self.1);
                    }
                }
                let (in_future, in_cleanup) = (trace.clone(), trace.clone());
                bridge::block_on_with(policy, async {
                    let (begun, beginning) = mpsc::channel();
                    let builder = TaskBuilder::new().on_cancel(bound, async move || {
                        let _dropped = Say(in_cleanup.clone(), "clean-up dropped");
                        in_cleanup.add("clean-up begins");
                        if is_in_time {
                            bridge::yield_now().await;
                        } else {
                            pending::<()>().await;
                        }
                        in_cleanup.add("clean-up ends");
                    });
                    let future = async move {
                        let _dropped = Say(in_future, "future dropped");
                        waiting(begun).await;
                    };
                    let task = if is_shared { builder.name("c").spawn_shared(future) } else { builder.spawn(future) };
                    until(|| beginning.try_recv().is_ok()).await;
                    until(|| task.state() == TaskState::Waiting).await;
                    task.cancel();
                    task.cancel();
                    assert!(task.await.unwrap_err().is_cancelled());
                })
                .unwrap();
                let mut expected = vec!["future dropped", "clean-up begins"];
                if is_in_time {
                    expected.push("clean-up ends");
                }
                expected.push("clean-up dropped");
                assert_eq!(trace.take(), expected, "{policy:?} shared {is_shared}");
            }
        }
    }
    assert!(!log.with("took longer than its bound").is_empty());
}

#[test]
fn the_end_of_a_fragment_waits_for_clean_ups_also_for_those_that_panic() {
    for policy in all_policies() {
        let trace = Trace::default();
        let (first, second) = (trace.clone(), trace.clone());
        bridge::block_on_with(policy, async {
            let cleaning = TaskBuilder::new().on_cancel(Duration::from_secs(600), async move || {
                bridge::sleep(Duration::from_millis(1)).await;
                first.add("cleaned");
            });
            cleaning.spawn(pending::<()>()).detach();
            let panicking = TaskBuilder::new().on_cancel(Duration::from_secs(600), async move || {
                second.add("panics");
                panic!("in a clean-up");
            });
            panicking.spawn(pending::<()>()).detach();
            // never begun, so there is nothing to clean up
            bridge::yield_now().await;
            bridge::yield_now().await;
            let unbegun = TaskBuilder::new().on_cancel(Duration::from_secs(600), async || panic!("it never began"));
            unbegun.spawn(pending::<()>()).detach();
        })
        .unwrap();
        assert_eq!(trace.take(), ["panics", "cleaned"], "{policy:?}");
    }
}

#[test]
fn callbacks_come_in_order_after_the_end_and_may_panic() {
    for policy in all_policies() {
        for (name, spawn) in SPAWNS {
            let trace = Trace::default();
            let counted = Arc::new(());
            let inside = Arc::clone(&counted);
            bridge::block_on_with(policy, async {
                let (gate, going) = futures_channel();
                let task = spawn(Box::pin(async move {
                    let _inside = inside;
                    going.await;
                }));
                for number in 0..4 {
                    let (trace, counted) = (trace.clone(), Arc::clone(&counted));
                    task.add_done_callback(move |result| {
                        assert!(result.is_ok());
                        // the callbacks' own, and ours; the future's is gone
                        assert!(Arc::strong_count(&counted) <= 5);
                        trace.add(number.to_string());
                        if number == 1 {
                            panic!("in a callback");
                        }
                    });
                }
                gate.send();
                task.await.unwrap();
            })
            .unwrap();
            assert_eq!(trace.take(), ["0", "1", "2", "3"], "{name} {policy:?}");
        }
    }
}

#[test]
fn callbacks_tell_why_there_is_no_result() {
    let (told, telling) = mpsc::channel();
    let tell = |told: &mpsc::Sender<String>| {
        let told = told.clone();
        move |result: Result<(), bridge::TaskError>| {
            told.send(result.map_or_else(|error| error.to_string(), |()| "done".into())).unwrap();
        }
    };
    // from the thread of a pool, or at once when it is past
    let task = bridge::unblock(|| ());
    task.add_done_callback(tell(&told));
    assert_eq!(telling.recv().unwrap(), "done");
    task.add_done_callback(tell(&told));
    assert_eq!(telling.try_recv().unwrap(), "done", "at once");
    let line = line!() + 1;
    let task = bridge::unblock(|| panic!("no value"));
    task.add_done_callback(tell(&told));
    let place = format!("{}:{line}:", file!());
    let error = telling.recv().unwrap();
    assert!(error.contains(&place) && error.ends_with(" panicked: no value"), "{error}");
    assert!(task.join().unwrap_err().to_string().ends_with(" panicked: no value"));
    let line = line!() + 1;
    let task = TaskBuilder::new().name("named").spawn_shared(pending::<()>());
    task.add_done_callback(tell(&told));
    task.cancel();
    let error = telling.recv().unwrap();
    assert!(error.starts_with(&format!("the task `named` spawned at {}:{line}:", file!())), "{error}");
    assert!(error.ends_with(" was cancelled"), "{error}");
    // added from another thread
    let task = bridge::spawn_shared(pending::<()>());
    thread::scope(|scope| scope.spawn(|| task.add_done_callback(tell(&told))).join().unwrap());
    task.cancel();
    assert!(telling.recv().unwrap().ends_with(" was cancelled"));
}

#[test]
fn a_closure_cancelled_in_its_queue_tells_at_once() {
    support::alone("bridge::task_life::a_closure_cancelled_in_its_queue_tells_at_once", || {
        bridge::set_unblock_threads(1);
        let (open, opened) = mpsc::channel::<()>();
        let (begun, beginning) = mpsc::channel();
        let busy = bridge::unblock(move || {
            begun.send(()).unwrap();
            opened.recv().unwrap();
        });
        beginning.recv().unwrap();
        let queued = bridge::unblock(|| panic!("it is cancelled"));
        let (told, telling) = mpsc::channel();
        queued.add_done_callback(move |result| told.send(result.unwrap_err().is_cancelled()).unwrap());
        assert_eq!(queued.state(), TaskState::Pending);
        queued.cancel();
        assert!(telling.try_recv().unwrap(), "while the pool is busy");
        assert_eq!(queued.state(), TaskState::Cancelled);
        assert!(queued.is_finished());
        busy.cancel();
        assert_eq!(busy.state(), TaskState::Running, "it has begun");
        assert!(matches!(queued.join(), Err(BridgeError::Task(error)) if error.is_cancelled()));
        open.send(()).unwrap();
        busy.join().unwrap();
    });
}

#[test]
fn every_task_is_seen_from_everywhere_under_its_own_number() {
    let (to_test, from_thread) = mpsc::channel();
    let (end, ending) = futures_channel();
    let thread = thread::Builder::new().name("seen from afar".into()).spawn(move || {
        bridge::block_on(async {
            let all = ["one", "two"].map(|name| bridge::spawn_named(name, pending::<()>()));
            bridge::yield_now().await;
            bridge::yield_now().await;
            to_test.send(()).unwrap();
            ending.await;
            for task in all {
                assert!(task.await.unwrap_err().is_cancelled(), "from the test's thread");
            }
        })
    });
    from_thread.recv().unwrap();
    let seen: Vec<_> =
        bridge::tasks().into_iter().filter(|task| task.event_loop() == "thread seen from afar").collect();
    let names: Vec<_> = seen.iter().map(|task| task.name().unwrap()).collect();
    assert_eq!(names, ["one", "two"]);
    assert!(seen[0].number() < seen[1].number());
    let line = seen[0].to_string();
    assert!(line.starts_with(&format!("task {} `one` (waiting) on thread seen from afar", seen[0].number())), "{line}");
    seen.iter().for_each(bridge::TaskInfo::cancel);
    end.send();
    thread.unwrap().join().unwrap().unwrap();
    assert!(seen.iter().all(|task| task.state() == TaskState::Cancelled));

    let numbers = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let own: Vec<_> = (0..300)
                    .map(|_| bridge::spawn_shared(async { bridge::current_task().unwrap().number() }))
                    .map(|task| task.join().unwrap())
                    .collect();
                assert!(own.is_sorted());
                numbers.lock().unwrap().extend(own);
            });
        }
    });
    let mut numbers = numbers.into_inner().unwrap();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 1200);
    assert!(bridge::current_task().is_none());
}
