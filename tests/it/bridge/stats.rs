//! The figures. Each test has a process of its own: they are process-wide.

use std::future::{pending, ready};
use std::thread;

use dewar::bridge::{self, LoopPolicy, luggage};

use crate::support;

use super::POLICIES;

#[test]
fn everything_is_counted_once() {
    support::alone("bridge::stats::everything_is_counted_once", || {
        let zero = bridge::stats();
        assert_eq!((zero.fragments, zero.polls, zero.tasks_spawned), (0, 0, 0));
        bridge::block_on(ready(())).unwrap();
        let one = bridge::stats();
        assert_eq!((one.fragments, one.polls, one.loops_created), (1, 1, 0));

        bridge::block_on(async {
            bridge::spawn(async {}).await.unwrap();
            bridge::block_on(async {}).unwrap_err(); // refused: not counted
        })
        .unwrap();
        let two = bridge::stats();
        // the root twice, the task once
        assert_eq!((two.fragments, two.polls, two.loops_created), (2, 4, 1));
        assert_eq!((two.tasks_spawned, two.tasks_alive), (1, 0));

        bridge::own_thread(async || {}).unwrap();
        bridge::unblock(|| ()).join().unwrap();
        let three = bridge::stats();
        assert_eq!((three.own_threads, three.fragments), (1, 3));
        assert_eq!((three.unblock_jobs, three.compute_jobs), (1, 0));
    });
}

#[test]
fn ended_threads_leave_their_figures() {
    support::alone("bridge::stats::ended_threads_leave_their_figures", || {
        let threads: Vec<_> = (0..10)
            .map(|_| {
                thread::spawn(|| {
                    for _ in 0..100 {
                        bridge::block_on(ready(())).unwrap();
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(bridge::stats().fragments, 1000);
    });
}

#[test]
fn no_task_is_alive_when_all_fragments_have_ended() {
    support::alone("bridge::stats::no_task_is_alive_when_all_fragments_have_ended", || {
        for policy in POLICIES {
            bridge::block_on_with(policy, async {
                bridge::spawn(async {}).await.unwrap();
                bridge::spawn(async { panic!("counted") }).await.unwrap_err();
                bridge::spawn(pending::<()>()).detach();
                bridge::yield_now().await;
                bridge::spawn(pending::<()>()).detach(); // never polled
                let cancelled = bridge::spawn(pending::<()>());
                cancelled.cancel();
                cancelled.await.unwrap_err();
                let shared = bridge::spawn_shared(pending::<()>());
                assert!(bridge::stats().tasks_alive >= 3);
                shared.cancel();
                shared.await.unwrap_err();
            })
            .unwrap();
            assert_eq!(bridge::stats().tasks_alive, 0);
        }
        let stats = bridge::stats();
        assert_eq!(stats.tasks_spawned, 3 * 6);
        assert_eq!(stats.tasks_cancelled, 3 * 4);
        assert_eq!(stats.tasks_panicked, 3);
        assert_eq!(luggage::pushed(), 0);
    });
}

#[test]
fn a_fragment_per_request_shows_its_price() {
    support::alone("bridge::stats::a_fragment_per_request_shows_its_price", || {
        bridge::with_policy(LoopPolicy::per_request(), || {
            for _ in 0..50 {
                bridge::block_on(ready(())).unwrap();
            }
        });
        let stats = bridge::stats();
        assert_eq!((stats.loops_created, stats.fragments), (50, 50));
    });
}
