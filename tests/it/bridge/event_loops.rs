//! Loops in the hand, and handles to loops: what runs when, and that nothing stays behind.

#![expect(clippy::async_yields_async, reason = "a task that outlives the fragment that spawned it is what is tried")]

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use dewar::bridge::{self, BridgeError, EventLoop, LoopHandle, LoopPolicy, Task, TaskBuilder, luggage};

use crate::support::{self, Trace};

/// Never within a test.
const LONG: Duration = Duration::from_secs(600);

#[test]
fn a_task_lives_from_run_to_run() {
    let event_loop = EventLoop::new();
    let turns = Rc::new(Cell::new(0));
    let inside = Rc::clone(&turns);
    let task = event_loop.run_until_complete(async move {
        bridge::spawn(async move {
            for _ in 0..3 {
                inside.set(inside.get() + 1);
                bridge::sleep(Duration::from_millis(1)).await;
            }
            "done"
        })
    });
    assert_eq!(turns.get(), 0, "the run was over before it began");
    event_loop.run_until_complete(bridge::yield_now()).unwrap();
    assert_eq!(turns.get(), 1, "and it rests between the runs");
    assert_eq!(event_loop.run_until_complete(task.unwrap()).unwrap().unwrap(), "done");
    assert_eq!(turns.get(), 3);
}

#[test]
fn it_runs_until_it_is_stopped_from_anywhere() {
    // by a task
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let stopping = handle.clone();
    handle.spawn(async move { stopping.stop() }).detach();
    event_loop.run_forever().unwrap();
    // by another thread, while it runs
    let (runs, running) = mpsc::channel();
    let stopper = thread::spawn(move || {
        running.recv().unwrap();
        handle.stop();
    });
    event_loop.handle().call_soon(move || runs.send(()).unwrap());
    event_loop.run_forever().unwrap();
    stopper.join().unwrap();
    // before the start: one turn
    let called = Arc::new(());
    let inside = Arc::clone(&called);
    event_loop.handle().call_soon(move || drop(inside));
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert_eq!(Arc::strong_count(&called), 1);
    // fragments take no notice
    event_loop.stop();
    assert_eq!(event_loop.run_until_complete(async { 3 }).unwrap(), 3);
}

#[test]
fn a_closed_loop_refuses_and_says_so() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let counted = Arc::new(());
    let (inside, waiting) = (Arc::clone(&counted), Arc::clone(&counted));
    let tasks = event_loop.run_until_complete(async {
        let waits = bridge::spawn(async move {
            let _inside = waiting;
            pending::<()>().await;
        });
        bridge::yield_now().await;
        bridge::yield_now().await;
        let unbegun = bridge::spawn(async move { drop(inside) });
        [waits, unbegun]
    });
    assert!(!event_loop.is_closed() && !handle.is_closed());
    event_loop.close().unwrap();
    event_loop.close().unwrap();
    assert!(event_loop.is_closed() && handle.is_closed());
    assert_eq!(Arc::strong_count(&counted), 1);
    for task in tasks.unwrap() {
        assert!(matches!(task.join(), Err(BridgeError::Task(error)) if error.is_cancelled()));
    }
    let line = line!() + 1;
    let error = event_loop.run_until_complete(async {}).unwrap_err();
    assert!(matches!(error, BridgeError::Closed { at } if at.line() == line));
    assert!(matches!(event_loop.run_forever(), Err(BridgeError::Closed { .. })));
    let refused = handle.spawn(async { panic!("nobody runs it") });
    assert!(refused.join().unwrap_err().to_string().ends_with("never began: its loop is closed"));
    assert!(handle.call_later(LONG, || ()).is_finished());
}

#[test]
fn it_cannot_be_closed_by_its_own_task() {
    let event_loop = Rc::new(EventLoop::new());
    let inner = Rc::clone(&event_loop);
    let refused = event_loop.run_until_complete(async move { inner.close().unwrap_err().to_string() }).unwrap();
    assert!(refused.contains("is running on this thread"), "{refused}");
    event_loop.close().unwrap();
}

/// How a loop with tasks ends.
type Ending = fn(EventLoop);

const ENDINGS: [(&str, Ending); 4] = [
    ("closed", |event_loop| event_loop.close().unwrap()),
    ("dropped", drop),
    ("dropped in a fragment", |event_loop| bridge::block_on(async move { drop(event_loop) }).unwrap()),
    ("dropped in a panic", |event_loop| {
        let message = support::panic_message(move || {
            let _event_loop = event_loop;
            panic!("with a loop");
        });
        assert_eq!(message, "with a loop");
    }),
];

#[test]
fn nothing_is_left_of_a_loop_however_it_ends() {
    support::alone("bridge::event_loops::nothing_is_left_of_a_loop_however_it_ends", || {
        for (name, end) in ENDINGS {
            let counted = Arc::new(());
            let own = || Arc::clone(&counted);
            let (send, kept_wakers) = mpsc::channel();
            let event_loop = EventLoop::new();
            let remote = event_loop.handle();
            let tasks = event_loop.run_until_complete(async {
                let _packed = luggage::pack(Some(own()));
                let hold = |counted: Arc<()>| async move {
                    let _counted = counted;
                    bridge::sleep(LONG).await;
                };
                let cleaned = own();
                // Its clean-up waits for somebody who never comes, and has its waker.
                let cleaning = TaskBuilder::new().on_cancel(LONG, async move || {
                    let _cleaned = cleaned;
                    std::future::poll_fn(|cx| {
                        send.send(cx.waker().clone()).unwrap();
                        std::task::Poll::<()>::Pending
                    })
                    .await;
                });
                let tasks = [
                    bridge::spawn(hold(own())),
                    cleaning.spawn(hold(own())),
                    remote.spawn(hold(own())),
                    TaskBuilder::new().name("cancelled before").on_cancel(LONG, pending).spawn(hold(own())),
                ];
                bridge::yield_now().await;
                bridge::yield_now().await;
                tasks[3].cancel();
                bridge::yield_now().await;
                bridge::yield_now().await;
                tasks
            });
            let tasks: [Task<()>; 4] = tasks.unwrap();
            let late = remote.spawn({
                let counted = own();
                async move { drop(counted) }
            });
            end(event_loop);
            assert!(remote.is_closed(), "{name}");
            assert_eq!(bridge::stats().tasks_alive, 0, "{name}");
            assert_eq!(luggage::pushed(), 0, "{name}");
            assert_eq!(Arc::strong_count(&counted), 1, "{name}");
            // A waker that comes too late, on another thread, is nobody's any more.
            let wakers: Vec<_> = kept_wakers.iter().collect();
            assert_eq!(wakers.len(), 1, "{name}");
            thread::spawn(move || wakers.into_iter().for_each(std::task::Waker::wake)).join().unwrap();
            for task in tasks.into_iter().chain([late]) {
                assert!(task.is_finished(), "{name}");
                assert!(matches!(task.join(), Err(BridgeError::Task(error)) if error.is_cancelled()), "{name}");
            }
            assert!(bridge::tasks().is_empty(), "{name}");
        }
    });
}

#[test]
fn what_ends_with_a_dropped_loop_ends_as_in_a_closed_one() {
    // A destructor sees a loop that is running, so it cannot start another one, whichever way the loop ends.
    struct Nests(Trace);
    impl Drop for Nests {
        fn drop(&mut self) {
            let nested = bridge::block_on(async {});
            self.0.add(format!("{}", matches!(nested, Err(BridgeError::Nested { .. }))));
        }
    }
    for (name, end) in &ENDINGS[..3] {
        let trace = Trace::default();
        let event_loop = EventLoop::new();
        let nests = Nests(trace.clone());
        event_loop
            .run_until_complete(async {
                let task = bridge::spawn(async move {
                    let _nests = nests;
                    pending::<()>().await;
                });
                bridge::yield_now().await;
                bridge::yield_now().await;
                task.detach();
            })
            .unwrap();
        end(event_loop);
        assert_eq!(trace.take(), ["true"], "{name}");
    }
}

#[test]
fn nesting_is_refused_and_names_both_lines() {
    let (outer, inner) = (EventLoop::new(), EventLoop::new());
    let outer_line = line!() + 1;
    let refused = outer.run_until_complete(async { (inner.run_until_complete(async {}).unwrap_err(), line!()) });
    let (error, inner_line) = refused.unwrap();
    match error {
        BridgeError::Nested { outer, inner } => assert_eq!([outer.line(), inner.line()], [outer_line, inner_line]),
        other => panic!("{other}"),
    }
    // in a fragment a loop can be made, and run when that is over
    let made = bridge::block_on(async {
        let made = EventLoop::new();
        assert!(matches!(made.run_forever(), Err(BridgeError::Nested { .. })));
        made
    });
    assert_eq!(made.unwrap().run_until_complete(async { 1 }).unwrap(), 1);
}

#[test]
fn two_loops_on_a_thread_take_turns() {
    let loops = [EventLoop::new(), EventLoop::new()];
    let said = Rc::new(RefCell::new(Vec::new()));
    for (number, event_loop) in loops.iter().enumerate() {
        let said = Rc::clone(&said);
        event_loop
            .run_until_complete(async move {
                bridge::spawn(async move {
                    for round in 0..3 {
                        said.borrow_mut().push((round, number));
                        bridge::sleep(Duration::ZERO).await;
                        bridge::yield_now().await;
                    }
                })
                .detach();
            })
            .unwrap();
    }
    for _ in 0..3 {
        for event_loop in &loops {
            event_loop.run_until_complete(bridge::yield_now()).unwrap();
            // the thread's own loop is a third one
            bridge::block_on(async { bridge::spawn(async {}).await }).unwrap().unwrap();
        }
    }
    assert_eq!(*said.borrow(), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]);
}

#[test]
fn calls_come_in_the_order_in_which_they_were_asked_for() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let trace = Trace::default();
    let call = |what: &'static str| {
        let trace = trace.clone();
        move || trace.add(what)
    };
    // before a run, from another thread, from the run itself
    handle.call_soon(call("before"));
    thread::scope(|scope| scope.spawn(|| handle.call_soon(call("from afar"))).join().unwrap());
    event_loop
        .run_until_complete(async {
            handle.call_soon(call("inside"));
            thread::scope(|scope| scope.spawn(|| handle.call_soon(call("meanwhile"))).join().unwrap());
            handle.call_soon(call("after it"));
            handle.call_soon(call("never")).cancel();
            handle.spawn(async {}).await.unwrap();
        })
        .unwrap();
    assert_eq!(trace.take(), ["before", "from afar", "inside", "meanwhile", "after it"]);
}

#[test]
fn calls_at_a_time_come_in_its_order_and_can_be_taken_back() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let trace = Trace::default();
    let call = |what: &'static str| {
        let trace = trace.clone();
        move || trace.add(what)
    };
    let now = Instant::now();
    let stop = handle.clone();
    handle.call_at(now + Duration::from_millis(6), move || stop.stop());
    let second = handle.call_later(Duration::from_millis(4), call("second"));
    handle.call_at(now, call("past"));
    handle.call_at(now + Duration::from_millis(2), call("first"));
    let never = handle.call_later(Duration::from_millis(3), || panic!("taken back"));
    never.cancel();
    assert!(!second.is_finished());
    event_loop.run_forever().unwrap();
    assert_eq!(trace.take(), ["past", "first", "second"]);
    assert!(second.is_finished() && !second.is_cancelled());
    assert!(never.is_finished() && never.is_cancelled());
    second.cancel();
    assert!(!second.is_cancelled(), "it was called");
}

#[test]
fn a_handle_outlives_its_thread_and_its_fragment() {
    for policy in super::all_policies() {
        let ended =
            thread::spawn(move || bridge::block_on_with(policy, async { LoopHandle::current().unwrap() }).unwrap());
        let handle = ended.join().unwrap();
        assert!(handle.is_closed(), "{policy:?}");
        assert!(handle.spawn(async {}).join().unwrap_err().to_string().ends_with("its loop is closed"), "{policy:?}");
    }
    // a loop of one fragment is closed with it, and so is what came too late
    let handle = bridge::block_on_with(LoopPolicy::per_request(), async { LoopHandle::current().unwrap() }).unwrap();
    assert!(handle.is_closed());
    assert!(handle.spawn(async {}).join().is_err());
    assert!(LoopHandle::current().is_none());
}

#[test]
fn what_comes_between_two_fragments_runs_in_the_next_one() {
    let (give, given) = mpsc::channel();
    let (go, going) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        give.send(bridge::block_on(async { LoopHandle::current().unwrap() }).unwrap()).unwrap();
        going.recv().unwrap();
        // its own comes behind what was there before
        bridge::block_on(async { bridge::spawn(async {}).await })
    });
    let handle: LoopHandle = given.recv().unwrap();
    let task = handle.spawn(async { thread::current().id() });
    assert!(!task.is_finished());
    let id = thread.thread().id();
    go.send(()).unwrap();
    assert_eq!(task.join().unwrap(), id);
    thread.join().unwrap().unwrap().unwrap();
}
