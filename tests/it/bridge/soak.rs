//! Very many of everything, with everything that can race with it: nothing hangs, nothing is left.

use std::future::pending;
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, EventLoop, LoopHandle, LoopPolicy, Task};

use crate::support::{self, Random};

use super::all_policies;

/// Keeps the processors busy meanwhile.
fn under_load(test: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            });
        }
        test();
        is_over.store(true, Ordering::Relaxed);
    });
}

/// Waits until all that was spawned has ended.
fn all_ended() {
    while bridge::stats().tasks_alive > 0 {
        thread::yield_now();
    }
    assert!(bridge::tasks().is_empty());
}

#[test]
fn a_hundred_thousand_tasks_and_timers() {
    support::alone("bridge::soak::a_hundred_thousand_tasks_and_timers", || {
        const MANY: usize = 100_000;
        for policy in all_policies() {
            let ended = Arc::new(AtomicUsize::new(0));
            bridge::block_on_with(policy, async {
                let tasks: Vec<Task<()>> = (0..MANY)
                    .map(|n| {
                        let ended = Arc::clone(&ended);
                        let task = async move {
                            bridge::sleep(Duration::from_micros(n as u64 % 1000)).await;
                            ended.fetch_add(1, Ordering::Relaxed);
                        };
                        if n % 2 == 0 { bridge::spawn(task) } else { bridge::spawn_shared(task) }
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            })
            .unwrap();
            assert_eq!(ended.load(Ordering::Relaxed), MANY);
            // and as many that are left behind
            bridge::block_on_with(policy, async {
                for _ in 0..MANY / 4 {
                    bridge::spawn(pending::<()>()).cancel();
                }
            })
            .unwrap();
            assert_eq!(bridge::stats().tasks_alive, 0);
        }
    });
}

#[test]
fn wakes_and_cancels_race_from_all_sides() {
    support::alone("bridge::soak::wakes_and_cancels_race_from_all_sides", || {
        bridge::set_shared_threads(2);
        under_load(|| {
            for round in 0..50 {
                let policy = all_policies()[round % all_policies().len()];
                let mut random = Random(round as u64);
                bridge::block_on_with(policy, async {
                    let handle = LoopHandle::current().unwrap();
                    let mut receivers = Vec::new();
                    let mut tasks = Vec::new();
                    for _ in 0..200 {
                        let (sender, receiver) = futures_util_channel();
                        receivers.push(sender);
                        let wait = async move { receiver.recv_all().await };
                        tasks.push(if random.below(2) == 0 { bridge::spawn(wait) } else { bridge::spawn_shared(wait) });
                    }
                    let infos = bridge::tasks();
                    let order: Vec<usize> = (0..200).map(|_| random.below(200)).collect();
                    let waker = bridge::unblock(move || {
                        for receiver in &receivers {
                            receiver.open();
                        }
                    });
                    let canceller = bridge::unblock(move || {
                        for i in order {
                            if let Some(info) = infos.get(i) {
                                info.cancel();
                            }
                        }
                    });
                    let caller =
                        bridge::unblock(move || (0..50).map(|n| handle.spawn(async move { n })).collect::<Vec<_>>());
                    for task in tasks {
                        match task.await {
                            Ok(()) => {}
                            Err(error) => assert!(error.is_cancelled(), "{error}"),
                        }
                    }
                    waker.await.unwrap();
                    canceller.await.unwrap();
                    for (n, task) in caller.await.unwrap().into_iter().enumerate() {
                        assert_eq!(task.await.unwrap(), n);
                    }
                })
                .unwrap();
                all_ended();
            }
        });
    });
}

/// A gate that several wakers may wait at.
#[derive(Clone, Default)]
struct Gate(Arc<GateInner>);

#[derive(Default)]
struct GateInner {
    is_open: AtomicBool,
    waker: futures_util::task::AtomicWaker,
}

fn futures_util_channel() -> (Gate, Gate) {
    let gate = Gate::default();
    (gate.clone(), gate)
}

impl Gate {
    fn open(&self) {
        self.0.is_open.store(true, Ordering::SeqCst);
        self.0.waker.wake();
    }

    async fn recv_all(self) {
        std::future::poll_fn(|cx| {
            self.0.waker.register(cx.waker());
            if self.0.is_open.load(Ordering::SeqCst) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

#[test]
fn loops_close_while_others_hand_them_tasks() {
    support::alone("bridge::soak::loops_close_while_others_hand_them_tasks", || {
        under_load(|| {
            for round in 0..300 {
                let (give, given) = mpsc::channel();
                let owner = thread::spawn(move || match round % 3 {
                    0 => {
                        let event_loop = EventLoop::new();
                        give.send(event_loop.handle()).unwrap();
                        event_loop.run_until_complete(bridge::yield_now()).unwrap();
                        event_loop.close().unwrap();
                    }
                    1 => {
                        let policy = LoopPolicy::per_request();
                        bridge::block_on_with(policy, async {
                            give.send(LoopHandle::current().unwrap()).unwrap();
                            bridge::yield_now().await;
                        })
                        .unwrap();
                    }
                    // until the thread ends
                    _ => bridge::block_on(async { give.send(LoopHandle::current().unwrap()).unwrap() }).unwrap(),
                });
                let handle: LoopHandle = given.recv().unwrap();
                let mut refused = 0;
                // It ran, or it did not; each one tells, and after the close all are refused.
                while refused < 3 {
                    match handle.spawn(async { bridge::yield_now().await }).join() {
                        Ok(()) => {}
                        Err(_) => refused += u32::from(handle.is_closed()),
                    }
                }
                owner.join().unwrap();
                assert_eq!(bridge::stats().tasks_alive, 0);
            }
        });
        assert!(bridge::tasks().is_empty());
    });
}

#[test]
fn the_shared_loops_clock_is_kept_by_whoever_is_free() {
    support::alone("bridge::soak::the_shared_loops_clock_is_kept_by_whoever_is_free", || {
        bridge::set_shared_threads(3);
        under_load(|| {
            for round in 0..50 {
                let mut random = Random(round);
                // Later deadlines first, so that each one is to be told to a thread that sleeps longer.
                let tasks: Vec<_> = (0..200)
                    .map(|n| {
                        let micros = 20_000 - n * 100 + random.below(90) as u64;
                        bridge::spawn_shared(async move {
                            bridge::sleep(Duration::from_micros(micros)).await;
                            // a thread that is busy keeps no time
                            bridge::timeout(Duration::from_micros(100), bridge::sleep(Duration::from_secs(600))).await
                        })
                    })
                    .collect();
                for task in tasks {
                    assert!(task.join().unwrap().is_err());
                }
            }
        });
        all_ended();
    });
}
