//! Many items, some of them at a time.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use dewar::bridge;

use crate::support::{self, Random};

use super::POLICIES;

const MS: Duration = Duration::from_millis(1);

#[test]
fn results_come_in_order_and_no_more_than_the_limit_run() {
    for policy in POLICIES {
        for limit in [1, 2, 7, 100, 1000] {
            let (now, most) = (Cell::new(0), Cell::new(0));
            let random = RefCell::new(Random(limit as u64));
            let doubled = bridge::fan_out(limit, 0..200, async |n| {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                let turns = random.borrow_mut().below(5);
                for _ in 0..turns {
                    bridge::yield_now().await;
                }
                now.set(now.get() - 1);
                n * 2
            });
            let doubled = bridge::block_on_with(policy, doubled).unwrap();
            assert_eq!(doubled, (0..200).map(|n| n * 2).collect::<Vec<_>>());
            // The last places are filled, unless turns were short.
            assert!(most.get() <= limit && (limit > 2 || most.get() == limit), "{} of {limit}", most.get());
        }
    }
}

#[test]
fn items_are_taken_when_there_is_room() {
    let (taken, ended) = (Cell::new(0), Cell::new(0));
    let items = (0..50).inspect(|_| {
        assert!(taken.get() - ended.get() < 3, "an item was taken without room for it");
        taken.set(taken.get() + 1);
    });
    bridge::block_on(bridge::for_each_limited(3, items, async |_| {
        bridge::yield_now().await;
        ended.set(ended.get() + 1);
    }))
    .unwrap();
    assert_eq!((taken.get(), ended.get()), (50, 50));
}

#[test]
fn it_borrows_and_need_not_be_send() {
    let words = Rc::new(vec![String::from("one"), String::from("three")]);
    let lengths = bridge::block_on(bridge::fan_out(2, words.iter(), async |word: &String| {
        let words = Rc::clone(&words);
        bridge::yield_now().await;
        word.len() + words.len()
    }));
    assert_eq!(lengths.unwrap(), [5, 7]);
}

#[test]
fn it_runs_on_the_shared_loop_too() {
    let task = bridge::spawn_shared(async {
        let sums = bridge::fan_out(4, 0..10_u64, async |n| {
            bridge::sleep(MS).await;
            n
        });
        sums.await.iter().sum::<u64>()
    });
    assert_eq!(task.join().unwrap(), 45);
}

#[test]
fn the_first_error_ends_it() {
    let alive = Rc::new(());
    let taken = Cell::new(0);
    let items = (0..).inspect(|_| taken.set(taken.get() + 1));
    let result = bridge::block_on(bridge::try_fan_out(3, items, async |n| {
        let _alive = Rc::clone(&alive);
        if n < 2 {
            pending::<()>().await;
        }
        if n == 5 { Err(n) } else { Ok(n) }
    }));
    assert_eq!(result.unwrap(), Err(5));
    assert_eq!(taken.get(), 6);
    assert_eq!(Rc::strong_count(&alive), 1, "those that were running are dropped");
}

#[test]
fn without_an_error_there_are_all_results() {
    let result = bridge::block_on(bridge::try_fan_out(2, 0..5, async |n| Ok::<_, ()>(n)));
    assert_eq!(result.unwrap(), Ok(vec![0, 1, 2, 3, 4]));
    let none = bridge::block_on(bridge::fan_out(2, Vec::<u8>::new(), async |n| n));
    assert!(none.unwrap().is_empty());
}

#[test]
fn dropping_it_drops_what_runs() {
    let alive = Rc::new(());
    bridge::block_on(async {
        let work = bridge::for_each_limited(2, 0.., async |_| {
            let _alive = Rc::clone(&alive);
            pending::<()>().await;
        });
        bridge::timeout(MS, work).await.unwrap_err();
    })
    .unwrap();
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn a_panic_gets_out_and_drops_the_others() {
    let alive = Rc::new(());
    let message = support::panic_message(|| {
        bridge::block_on(bridge::fan_out(3, 0..3, async |n| {
            let _alive = Rc::clone(&alive);
            bridge::yield_now().await;
            assert!(n != 2, "number two");
            pending::<()>().await;
        }))
    });
    assert_eq!(message, "number two");
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn a_limit_of_zero_is_refused() {
    let message = support::panic_message(|| drop(bridge::for_each_limited(0, [1], async |_| ())));
    assert!(message.contains("at least one"), "{message}");
}

#[test]
#[cfg(target_os = "linux")]
fn its_timers_need_no_thread() {
    support::alone("bridge::fan_out::its_timers_need_no_thread", || {
        bridge::block_on(bridge::for_each_limited(50, 0..200, async |_| bridge::sleep(MS).await)).unwrap();
        let has_timer_thread = std::fs::read_dir("/proc/self/task")
            .unwrap()
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .any(|name| name.trim() == "dewar-timers");
        assert!(!has_timer_thread);
    });
}
