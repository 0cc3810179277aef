//! Tasks: their ends, their handles, and what a fragment leaves behind.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use dewar::bridge::{self, BridgeError, Task};

use crate::support;

use super::POLICIES;

#[test]
fn local_tasks_run_concurrently_and_need_not_be_send() {
    for policy in POLICIES {
        let order = Rc::new(RefCell::new(Vec::new()));
        bridge::block_on_with(policy, async {
            let tasks: Vec<_> = (0..3)
                .map(|i| {
                    let order = Rc::clone(&order);
                    bridge::spawn(async move {
                        for round in 0..2 {
                            order.borrow_mut().push((round, i));
                            // two polls may follow each other; a turn of the others comes for sure
                            bridge::yield_now().await;
                            bridge::yield_now().await;
                        }
                        i
                    })
                })
                .collect();
            let sum: i32 = bridge::try_gather(tasks).await.unwrap().iter().sum();
            assert_eq!(sum, 3);
        })
        .unwrap();
        let order = order.borrow();
        assert_eq!(order.len(), 6);
        assert_eq!(order[..3], [(0, 0), (0, 1), (0, 2)], "first polls in order");
    }
}

#[test]
fn leftovers_are_cancelled_with_a_warning_that_names_them() {
    let log = support::log_capture();
    for (round, policy) in POLICIES.into_iter().enumerate() {
        let dropped = Rc::new(());
        let name = format!("left over {round}");
        let mut kept = None;
        let fragment = line!() + 1;
        bridge::block_on_with(policy, async {
            let lent = Rc::clone(&dropped);
            let task = bridge::spawn_named(name.as_str(), async move {
                let _lent = lent;
                pending::<()>().await;
            });
            bridge::yield_now().await;
            bridge::yield_now().await;
            kept = Some(task);
        })
        .unwrap();
        let kept = kept.unwrap();
        assert_eq!(Rc::strong_count(&dropped), 1);
        assert!(kept.is_finished());
        let warnings = log.with(&name);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with("WARN"), "{warnings:?}");
        let spawned_at = kept.spawned_at().to_string();
        for part in [&*spawned_at, &format!("{}:{fragment}:", file!()), "spawn_shared"] {
            assert!(warnings[0].contains(part), "{part} missing: {warnings:?}");
        }
        let error = kept.join().unwrap_err();
        assert!(matches!(&error, BridgeError::Task(e) if e.is_cancelled() && e.name() == Some(&name)));
    }
}

#[test]
fn leftovers_end_in_the_order_of_their_spawning_and_what_they_spawn_too() {
    struct Spawns(Rc<RefCell<Vec<u8>>>, u8);
    impl Drop for Spawns {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
            if self.1 == 1 {
                let last = Spawns(Rc::clone(&self.0), 9);
                bridge::spawn(async move {
                    let _last = last;
                })
                .detach();
            }
        }
    }
    let ended = Rc::new(RefCell::new(Vec::new()));
    bridge::block_on(async {
        for i in 0..3 {
            let guard = Spawns(Rc::clone(&ended), i);
            bridge::spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            })
            .detach();
            if i < 2 {
                bridge::yield_now().await; // the last one is never polled
            }
        }
    })
    .unwrap();
    assert_eq!(*ended.borrow(), [0, 1, 2, 9]);
}

#[test]
fn a_fragment_ends_without_a_word_if_its_tasks_have() {
    let log = support::log_capture();
    bridge::block_on(async {
        bridge::spawn_named("quiet: awaited", async {}).await.unwrap();
        let task = bridge::spawn_named("quiet: cancelled", pending::<()>());
        task.cancel();
        bridge::spawn_shared(async {}).detach();
    })
    .unwrap();
    assert_eq!(log.with("quiet: "), [""; 0]);
}

#[test]
fn cancel_drops_the_future_and_says_so() {
    for policy in POLICIES {
        bridge::block_on_with(policy, async {
            let witness = Arc::new(());
            let make = || {
                let lent = Arc::clone(&witness);
                async move {
                    let _lent = lent;
                    pending::<()>().await;
                }
            };
            let local = bridge::spawn_named("victim", make());
            let shared = bridge::spawn_shared(make());
            bridge::yield_now().await;
            local.cancel();
            shared.cancel();
            let error = local.await.unwrap_err();
            assert!(error.is_cancelled() && !error.is_panic());
            assert!(error.to_string().contains("the task `victim` spawned at "));
            assert!(error.to_string().ends_with("was cancelled"));
            assert!(shared.await.unwrap_err().is_cancelled());
            assert_eq!(Arc::strong_count(&witness), 1);
        })
        .unwrap();
    }
}

#[test]
fn a_task_can_cancel_itself_and_an_ended_one_stays_as_it_is() {
    bridge::block_on(async {
        let own: Rc<RefCell<Option<Task<()>>>> = Rc::default();
        let handle = Rc::clone(&own);
        *own.borrow_mut() = Some(bridge::spawn(async move {
            handle.borrow().as_ref().unwrap().cancel();
            pending::<()>().await;
        }));
        bridge::yield_now().await;
        bridge::yield_now().await;
        let task = own.borrow_mut().take().unwrap();
        assert!(task.await.unwrap_err().is_cancelled());

        let ended = bridge::spawn(async { 1 });
        while !ended.is_finished() {
            bridge::yield_now().await;
        }
        ended.cancel();
        assert_eq!(ended.await.unwrap(), 1);
    })
    .unwrap();
}

#[test]
fn a_local_task_can_be_cancelled_from_another_thread() {
    bridge::block_on(async {
        let task = bridge::spawn(pending::<()>());
        thread::scope(|scope| scope.spawn(|| task.cancel()).join().unwrap());
        assert!(task.await.unwrap_err().is_cancelled());
        // while the loop sleeps
        let (tasks, given) = mpsc::channel::<Task<()>>();
        let cancelling = thread::spawn(move || {
            let task = given.recv().unwrap();
            task.cancel();
            bridge::block_on(task).unwrap().unwrap_err().is_cancelled()
        });
        let ended = Arc::new(Mutex::new(None::<Waker>));
        let rings = Arc::clone(&ended);
        struct Ring(Arc<Mutex<Option<Waker>>>);
        impl Drop for Ring {
            fn drop(&mut self) {
                self.0.lock().unwrap().take().unwrap().wake();
            }
        }
        let ring = Ring(rings);
        let mut task = Some(bridge::spawn(async move {
            let _ring = ring;
            pending::<()>().await;
        }));
        poll_fn(|cx| match task.take() {
            Some(task) => {
                *ended.lock().unwrap() = Some(cx.waker().clone());
                tasks.send(task).unwrap();
                Poll::Pending
            }
            None => Poll::Ready(()),
        })
        .await;
        assert!(cancelling.join().unwrap());
    })
    .unwrap();
}

#[test]
fn join_is_refused_where_it_would_never_end() {
    bridge::block_on(async {
        let task = bridge::spawn(pending::<()>());
        let spawned_at = task.spawned_at().to_string();
        let line = line!() + 1;
        let error = task.join().unwrap_err();
        assert!(matches!(error, BridgeError::WouldDeadlock { .. }), "{error:?}");
        let text = error.to_string();
        for part in [&*spawned_at, &format!("{}:{line}:", file!()), ".await", "spawn_shared"] {
            assert!(text.contains(part), "{part} missing in: {text}");
        }
        let ended = bridge::spawn(async { 5 });
        while !ended.is_finished() {
            bridge::yield_now().await;
        }
        assert_eq!(ended.join().unwrap(), 5);
    })
    .unwrap();
    let on_the_loop = bridge::spawn_shared(async {
        let task = bridge::TaskBuilder::new().name("refused to join").spawn_shared(pending::<()>());
        let refused = task.join();
        // It went on; it is not to be left behind.
        let all = bridge::tasks();
        all.iter().filter(|task| task.name() == Some("refused to join")).for_each(bridge::TaskInfo::cancel);
        refused
    });
    let refused = on_the_loop.join().unwrap();
    assert!(matches!(refused, Err(BridgeError::WouldDeadlock { .. })));
}

#[test]
fn a_handle_dropped_stops_nothing() {
    let done = Rc::new(Cell::new(false));
    let (told, tell) = mpsc::channel();
    bridge::block_on(async {
        let in_task = Rc::clone(&done);
        drop(bridge::spawn(async move { in_task.set(true) }));
        bridge::yield_now().await;
        bridge::yield_now().await;
        drop(bridge::spawn_shared(async move { told.send(1).unwrap() }));
    })
    .unwrap();
    assert!(done.get());
    assert_eq!(tell.recv(), Ok(1), "a shared task outlives its fragment");
}

#[test]
fn the_result_is_visible_only_when_nothing_of_the_task_is_left() {
    for _ in 0..200 {
        let witness = Arc::new(());
        let lent = Arc::clone(&witness);
        bridge::spawn_shared(async move {
            let _lent = lent;
            bridge::yield_now().await;
        })
        .join()
        .unwrap();
        assert_eq!(Arc::strong_count(&witness), 1);
    }
}

#[test]
fn gather_keeps_the_order_and_try_gather_stops_at_the_first_error() {
    for many in [3_usize, 200] {
        let words: Vec<String> = (0..many).map(|i| i.to_string()).collect();
        let lengths = bridge::block_on(bridge::gather(words.iter().rev().map(async |word| {
            for _ in 0..word.len() {
                bridge::yield_now().await;
            }
            word.parse::<usize>().unwrap()
        })));
        let wanted: Vec<_> = (0..many).rev().collect();
        assert_eq!(lengths.unwrap(), wanted);
        let failing = bridge::block_on(bridge::try_gather((0..many).map(async |i| {
            if i == 1 {
                return Err("one");
            }
            pending::<Result<(), _>>().await
        })));
        assert_eq!(failing.unwrap(), Err("one"));
    }
}

#[test]
fn handles_say_what_they_are() {
    fn is_send<T: Send>(_: &T) {}
    let shared = bridge::spawn_shared(async { 1 });
    is_send(&shared);
    assert_eq!(shared.name(), None);
    assert!(format!("{shared:?}").contains("tasks.rs"));
    assert_eq!(shared.join().unwrap(), 1);
}
