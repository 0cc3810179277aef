//! Several futures together: groups, waits, results as they come, timeouts and shields.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::rc::Rc;
use std::time::{Duration, Instant};

use dewar::bridge::{self, GroupError, TaskGroup, Waited};

use crate::support::panic_message;

use super::all_policies;

const LONG: Duration = Duration::from_secs(600);

/// Ends after so many turns.
async fn turns(n: usize) -> usize {
    for _ in 0..n {
        bridge::yield_now().await;
    }
    n
}

#[test]
fn wait_has_three_ways() {
    for policy in all_policies() {
        bridge::block_on_with(policy, async {
            let waited = bridge::wait([9, 0, 0].map(turns), bridge::first_completed).await;
            assert_eq!(waited.done, [(1, 0), (2, 0)], "what is ready in the same turn is taken along");
            assert_eq!(waited.pending.len(), 1);
            // and what is left can be waited for again
            let again = bridge::wait(waited.pending.into_iter().map(|(_, left)| left), bridge::all_completed).await;
            assert_eq!(again.done, [(0, 9)]);

            let fail = async |n, is_error| if is_error { Err(turns(n).await) } else { Ok(turns(n).await) };
            let futures = [(1, false), (3, true), (50, false)].map(|(n, is_error)| fail(n, is_error));
            let waited: Waited<_> = bridge::wait(futures, bridge::first_error).await;
            assert_eq!(waited.done, [(0, Ok(1)), (1, Err(3))]);
            assert_eq!(waited.pending[0].0, 2);
            assert!(format!("{waited:?}").contains("pending: [2]"));

            let nothing = bridge::wait(Vec::<std::future::Ready<()>>::new(), bridge::first_completed).await;
            assert!(nothing.done.is_empty() && nothing.pending.is_empty());
            // tasks too
            let tasks = (0..40).map(|n| bridge::spawn(turns(n)));
            assert_eq!(bridge::wait(tasks, bridge::all_completed).await.done.len(), 40);
        })
        .unwrap();
    }
}

#[test]
fn results_come_as_they_are_completed() {
    for policy in all_policies() {
        bridge::block_on_with(policy, async {
            let words = [5, 0, 9].map(|n| (n, "x".repeat(n)));
            let mut results = bridge::as_completed(words.iter().map(async |(n, word)| {
                turns(*n).await;
                word.len() // borrowed
            }));
            assert_eq!(results.remaining(), 3);
            assert_eq!(results.next().await, Some(0));
            // a `next` that is given up takes nothing
            assert!(bridge::timeout(Duration::ZERO, results.next()).await.is_err());
            assert_eq!(results.next().await, Some(5));
            assert_eq!(results.next().await, Some(9));
            assert_eq!((results.next().await, results.remaining()), (None, 0));
        })
        .unwrap();
    }
}

#[test]
fn timeouts_end_what_they_hold_and_a_shield_goes_on() {
    for policy in all_policies() {
        bridge::block_on_with(policy, async {
            let held = Rc::new(());
            let inside = Rc::clone(&held);
            let never = async move {
                let _inside = inside;
                pending::<()>().await;
            };
            assert!(bridge::timeout_at(Instant::now(), never).await.is_err());
            assert_eq!(Rc::strong_count(&held), 1);
            assert_eq!(bridge::timeout(Duration::ZERO, ready(1)).await, Ok(1), "what is ready wins");
            assert_eq!(bridge::timeout(Duration::MAX, turns(3)).await, Ok(3));

            let ended = Rc::new(Cell::new(false));
            let inside = Rc::clone(&ended);
            let mut shielded = bridge::shield(async move {
                turns(3).await;
                inside.set(true);
            });
            assert!(bridge::timeout(Duration::ZERO, &mut shielded).await.is_err());
            // nor is it ended by the end of the task that waits for it
            let waiting = bridge::spawn(shielded);
            turns(1).await;
            waiting.cancel();
            assert!(waiting.await.unwrap_err().is_cancelled());
            while !ended.get() {
                bridge::yield_now().await;
            }
        })
        .unwrap();
    }
}

type Group<'a> = TaskGroup<'a, &'static str>;

#[test]
fn a_group_borrows_nests_and_grows() {
    for policy in all_policies() {
        let said = RefCell::new(Vec::new());
        let total = bridge::block_on_with(
            policy,
            bridge::task_group(async |group: Group<'_>| {
                let inner_group = group.clone();
                let said = &said;
                group.spawn(async move {
                    turns(2).await;
                    said.borrow_mut().push("child");
                    inner_group.spawn(async move {
                        turns(2).await;
                        said.borrow_mut().push("grandchild");
                        Ok(())
                    });
                    Ok(())
                });
                let nested = bridge::task_group(async |inner: Group<'_>| {
                    let five = inner.spawn(async { Ok(turns(5).await) });
                    Ok(five.await.unwrap())
                });
                nested.await.map_err(|_| "nested")
            }),
        );
        assert_eq!(total.unwrap(), Ok(5));
        assert_eq!(*said.borrow(), ["child", "grandchild"], "nothing goes on behind its end");
    }
}

#[test]
fn one_failure_ends_the_rest_and_all_errors_are_kept() {
    for policy in all_policies() {
        bridge::block_on_with(policy, async {
            let held = Rc::new(());
            let waiting = |held: &Rc<()>| {
                let held = Rc::clone(held);
                async move {
                    let _held = held;
                    pending().await
                }
            };
            let failed: Result<(), GroupError<_>> = bridge::task_group(async |group: Group<'_>| {
                group.spawn::<()>(waiting(&held));
                group.spawn::<()>(async { Err("first") });
                group.spawn::<()>(async { Err("second") });
                pending().await
            })
            .await;
            let failed = failed.unwrap_err();
            assert_eq!(failed.to_string(), "first (and one more: second)");
            assert_eq!(failed.errors(), ["first", "second"]);
            assert_eq!(failed.into_errors(), ["first", "second"]);
            assert_eq!(Rc::strong_count(&held), 1);
            // the body fails
            let failed = bridge::task_group(async |group: Group<'_>| {
                group.spawn::<()>(waiting(&held));
                turns(2).await;
                Err::<(), _>("the body")
            });
            assert_eq!(failed.await.unwrap_err().errors(), ["the body"]);
            assert_eq!(Rc::strong_count(&held), 1);
            // a group that is given up
            let given_up = bridge::task_group(async |group: Group<'_>| {
                group.spawn::<()>(waiting(&held));
                pending::<Result<(), _>>().await
            });
            assert!(bridge::timeout(Duration::ZERO, given_up).await.is_err());
            assert_eq!(Rc::strong_count(&held), 1);
        })
        .unwrap();
    }
}

#[test]
fn a_panic_of_a_child_or_the_body_gets_out_and_leaves_nothing() {
    for policy in all_policies() {
        for is_body in [false, true] {
            let held = Rc::new(());
            let said = panic_message(|| {
                bridge::block_on_with(
                    policy,
                    bridge::task_group(async |group: Group<'_>| {
                        let (inner, own) = (group.clone(), Rc::clone(&held));
                        // It has the group that has it.
                        group.spawn(async move {
                            let _own = own;
                            inner.spawn(async { Ok(()) });
                            bridge::sleep(LONG).await;
                            Ok(())
                        });
                        if is_body {
                            panic!("in a group");
                        }
                        group.spawn(async { if true { panic!("in a group") } else { Ok(()) } });
                        pending::<Result<(), _>>().await
                    }),
                )
            });
            assert_eq!(said, "in a group");
            assert_eq!(Rc::strong_count(&held), 1, "{policy:?} {is_body}");
        }
    }
}

#[test]
fn what_is_spawned_into_a_group_that_is_over_is_dropped() {
    bridge::block_on(async {
        let kept = RefCell::new(None);
        let held = Rc::new(());
        bridge::task_group(async |group: Group<'_>| {
            *kept.borrow_mut() = Some(group.clone());
            Ok(())
        })
        .await
        .unwrap();
        let group = kept.take().unwrap();
        let (own, again) = (Rc::clone(&held), group.clone());
        let late = group.spawn(async move {
            let _own = (own, again);
            Ok(1)
        });
        assert!(late.is_finished());
        assert_eq!(Rc::strong_count(&held), 1);
        assert_eq!(late.await, None);
    })
    .unwrap();
}
