//! `Queue`.

use std::sync::Arc;

use dewar::bridge::sync::{Closed, Queue, TryGetError, TryPutError};
use dewar::bridge::{self};

use super::{PLACES, refused, tried, until, waiting};
use crate::support;

fn full<T>(items: impl IntoIterator<Item = T>) -> Queue<T> {
    let items: Vec<T> = items.into_iter().collect();
    let queue = Queue::bounded(items.len());
    items.into_iter().for_each(|item| queue.try_put(item).unwrap());
    queue
}

#[test]
fn first_in_first_out() {
    let queue = Queue::bounded(3);
    assert!(queue.is_empty() && !queue.is_full());
    assert_eq!((queue.len(), queue.capacity()), (0, Some(3)));
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    bridge::block_on(queue.put(1)).unwrap().unwrap();
    queue.blocking_put(2).unwrap();
    queue.try_put(3).unwrap();
    assert!(!queue.is_empty() && queue.is_full());
    assert_eq!(queue.try_put(4), Err(TryPutError::Full(4)));
    assert_eq!(TryPutError::Full(4).into_inner(), 4);
    assert_eq!(bridge::block_on(queue.get()).unwrap(), Ok(1));
    assert_eq!(queue.blocking_get(), Ok(2));
    assert_eq!(queue.try_get(), Ok(3));

    let queue = Queue::unbounded();
    assert_eq!(queue.capacity(), None);
    (0..1000).for_each(|n| queue.try_put(n).unwrap());
    assert!(!queue.is_full());
    (0..1000).for_each(|n| assert_eq!(queue.try_get(), Ok(n)));
}

#[test]
fn a_queue_for_nothing_is_refused() {
    let message = support::panic_message(|| Queue::<u8>::bounded(0));
    assert!(message.contains("Queue::unbounded()"), "{message}");
}

#[test]
fn gets_are_served_in_their_order() {
    let queue = Queue::unbounded();
    let all: Vec<_> = (0..4).map(|_| waiting(queue.get())).collect();
    for (n, next) in all.into_iter().enumerate() {
        assert!(!next.is_woken(), "before its turn");
        queue.try_put(n).unwrap();
        assert_eq!(queue.try_get(), Err(TryGetError::Empty), "a newcomer came in between");
        assert!(!queue.is_empty(), "it is in the queue until it is taken");
        let newcomer = waiting(queue.get());
        assert_eq!(next.served(), Ok(n));
        drop(newcomer);
    }
}

#[test]
fn puts_are_served_in_their_order() {
    let queue = full([0]);
    let all: Vec<_> = (1..5).map(|n| waiting(queue.put(n))).collect();
    for (n, next) in all.into_iter().enumerate() {
        assert!(!next.is_woken(), "before its turn");
        assert_eq!(queue.try_get(), Ok(n));
        assert_eq!(queue.try_put(100), Err(TryPutError::Full(100)), "a newcomer came in between");
        next.served().unwrap();
    }
    assert_eq!(queue.try_get(), Ok(4));
}

#[test]
fn a_get_that_is_dropped_loses_no_item_and_no_order() {
    let queue = Queue::unbounded();
    let [first, second, third] = [(); 3].map(|()| waiting(queue.get()));
    drop(second);
    queue.try_put(1).unwrap();
    queue.try_put(2).unwrap();
    assert!(first.is_woken() && third.is_woken());
    drop(first); // it had the promise of an item and was not polled
    assert_eq!(third.served(), Ok(1), "the first is still the first");
    assert_eq!(queue.try_get(), Ok(2));

    let [first, second] = [(); 2].map(|()| waiting(queue.get()));
    queue.try_put(3).unwrap();
    assert!(!second.is_woken());
    drop(first);
    assert_eq!(second.served(), Ok(3));
}

#[test]
fn a_put_that_is_dropped_puts_nothing_and_loses_no_place() {
    let witness = Arc::new(());
    let queue = full([Arc::new(())]);
    let [first, second, third] = [(); 3].map(|()| waiting(queue.put(Arc::clone(&witness))));
    drop(second);
    assert_eq!(Arc::strong_count(&witness), 3);
    queue.try_get().unwrap();
    assert!(first.is_woken() && !third.is_woken());
    drop(first); // it had the promise of a place and was not polled
    third.served().unwrap();
    assert_eq!((Arc::strong_count(&witness), queue.len()), (2, 1));
    drop(queue.put(Arc::clone(&witness))); // never polled
    assert_eq!((Arc::strong_count(&witness), queue.len()), (2, 1));
}

#[test]
fn one_line_for_all_places() {
    // Gets: each put serves the one who has waited longest.
    let queue = Queue::unbounded();
    let waiters: Vec<_> = PLACES
        .into_iter()
        .enumerate()
        .map(|(i, place)| {
            let (here, there) = (queue.clone(), queue.clone());
            let waiter = place.run(async move { here.get().await }, move || there.blocking_get());
            until(&queue, &format!("getting: {}", i + 1));
            waiter
        })
        .collect();
    for (i, waiter) in waiters.into_iter().enumerate() {
        queue.try_put(i).unwrap();
        assert_eq!(waiter.join().unwrap(), Ok(i));
    }

    // Puts: the queue has them in the order in which they came.
    let queue = full([None]);
    let waiters: Vec<_> = PLACES
        .into_iter()
        .enumerate()
        .map(|(i, place)| {
            let (here, there) = (queue.clone(), queue.clone());
            let waiter = place.run(async move { here.put(Some(place)).await }, move || there.blocking_put(Some(place)));
            until(&queue, &format!("putting: {}", i + 1));
            waiter
        })
        .collect();
    assert_eq!(queue.blocking_get(), Ok(None));
    assert_eq!(PLACES.map(|_| queue.blocking_get().unwrap().unwrap()), PLACES);
    waiters.into_iter().for_each(|waiter| waiter.join().unwrap().unwrap());
}

#[test]
fn join_waits_until_all_is_done() {
    let queue = Queue::unbounded();
    bridge::block_on(queue.join()).unwrap(); // there was nothing
    queue.try_put(1).unwrap();
    queue.try_put(2).unwrap();
    let joins = [(); 2].map(|()| waiting(queue.join()));
    queue.try_get().unwrap();
    queue.try_get().unwrap();
    queue.task_done().unwrap();
    assert!(!joins[0].is_woken());
    drop(waiting(queue.join()));
    queue.task_done().unwrap();
    queue.try_put(3).unwrap(); // they are released all the same
    joins.into_iter().for_each(super::ByHand::served);
    drop(waiting(queue.join()));

    queue.task_done().unwrap();
    let error = queue.task_done().unwrap_err();
    assert!(error.to_string().contains("once for each item"), "{error}");
    queue.blocking_join();
}

#[test]
fn join_from_all_places() {
    let queue = full([1]);
    let joins = PLACES.map(|place| {
        let (here, there) = (queue.clone(), queue.clone());
        place.run(async move { here.join().await }, move || there.blocking_join())
    });
    until(&queue, "joining: 5");
    queue.blocking_get().unwrap();
    queue.task_done().unwrap();
    joins.into_iter().for_each(|join| join.join().unwrap());
}

#[test]
fn closed_it_takes_nothing_and_gives_what_is_left() {
    let queue = full([1, 2]);
    let puts = [3, 4].map(|n| waiting(queue.put(n)));
    queue.try_get().unwrap();
    assert!(puts[0].is_woken());
    queue.close();
    queue.close();
    assert!(queue.is_closed());
    // Also the one to whom a place was promised.
    let [third, fourth] = puts;
    assert_eq!(third.served(), Err(Closed(3)));
    assert_eq!(fourth.served(), Err(Closed(4)));
    assert_eq!(queue.try_put(5), Err(TryPutError::Closed(5)));
    assert_eq!(bridge::block_on(queue.put(5)).unwrap(), Err(Closed(5)));
    assert_eq!(queue.blocking_put(5), Err(Closed(5)));
    assert_eq!(queue.try_get(), Ok(2));
    assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    assert_eq!(bridge::block_on(queue.get()).unwrap(), Err(Closed(())));
    assert_eq!(queue.blocking_get(), Err(Closed(())));

    queue.task_done().unwrap();
    let join = waiting(queue.join());
    queue.task_done().unwrap();
    join.served();
}

#[test]
fn closing_ends_the_gets_that_wait() {
    for close in [Queue::close, Queue::close_now] {
        let queue = Queue::<u8>::unbounded();
        let gets = PLACES.map(|place| {
            let (here, there) = (queue.clone(), queue.clone());
            place.run(async move { here.get().await }, move || there.blocking_get())
        });
        until(&queue, "getting: 5");
        close(&queue);
        for get in gets {
            assert_eq!(get.join().unwrap(), Err(Closed(())));
        }
    }
}

#[test]
fn closing_ends_the_puts_that_wait() {
    for close in [Queue::close, Queue::close_now] {
        let queue = full([0]);
        let puts = PLACES.map(|place| {
            let (here, there) = (queue.clone(), queue.clone());
            place.run(async move { here.put(1).await }, move || there.blocking_put(1))
        });
        until(&queue, "putting: 5");
        close(&queue);
        for put in puts {
            assert_eq!(put.join().unwrap(), Err(Closed(1)));
        }
    }
}

#[test]
fn a_promise_in_a_closed_queue_may_come_back() {
    let queue = Queue::unbounded();
    let [first, second, third] = [(); 3].map(|()| waiting(queue.get()));
    queue.try_put(1).unwrap();
    queue.close();
    // Whether the others get something is not certain before the first has taken its item.
    assert!(!second.is_woken() && !third.is_woken());
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    drop(first);
    assert_eq!(second.served(), Ok(1));
    assert_eq!(third.served(), Err(Closed(())));
}

#[test]
fn closed_now_it_drops_what_is_left() {
    let witness = Arc::new(());
    let queue = Queue::unbounded();
    let [promised, cancelled, waits] = [(); 3].map(|()| waiting(queue.get()));
    queue.try_put(Arc::clone(&witness)).unwrap();
    queue.try_put(Arc::clone(&witness)).unwrap();
    let join = waiting(queue.join());
    queue.close_now();
    assert_eq!((Arc::strong_count(&witness), queue.len()), (1, 0));
    join.served(); // what was dropped is done
    assert_eq!(promised.served(), Err(Closed(())));
    drop(cancelled);
    assert_eq!(waits.served(), Err(Closed(())));
    assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    queue.task_done().unwrap_err();

    // What was got before is not done by that.
    let queue = full([1, 2]);
    queue.try_get().unwrap();
    let join = waiting(queue.join());
    queue.close_now();
    assert!(!join.is_woken());
    queue.task_done().unwrap();
    join.served();
}

#[test]
fn a_destructor_may_use_the_queue() {
    struct Looks(Queue<Looks>);
    impl Drop for Looks {
        fn drop(&mut self) {
            assert!(self.0.is_empty() && self.0.is_closed());
        }
    }
    let queue = Queue::unbounded();
    queue.try_put(Looks(queue.clone())).unwrap();
    queue.close_now();
}

#[test]
fn nobody_ends_a_queue_but_who_closes_it() {
    // The last handle but the waiting one's is gone: it waits on, as asyncio's.
    let queue = Queue::<u8>::unbounded();
    let own = queue.clone();
    let mut alone = waiting(async move { own.get().await });
    let closer = queue.clone();
    drop(queue);
    assert!(!alone.is_woken() && alone.poll().is_pending());
    closer.close();
    assert_eq!(alone.served(), Err(Closed(())));

    // What is left in it goes with the last handle.
    let witness = Arc::new(());
    let queue = full([Arc::clone(&witness)]);
    drop(queue.clone());
    assert_eq!(Arc::strong_count(&witness), 2);
    drop(queue);
    assert_eq!(Arc::strong_count(&witness), 1);
}

#[test]
fn blocking_is_refused_on_a_loop_if_it_would_wait() {
    let queue = full([1]);
    let lent = queue.clone();
    refused("put(item).await", move || lent.blocking_put(2).unwrap());
    let lent = queue.clone();
    refused("join().await", move || lent.blocking_join());
    bridge::block_on(async { queue.blocking_get().unwrap() }).unwrap();
    let lent = queue.clone();
    refused("get().await", move || _ = lent.blocking_get().unwrap());
    assert!(queue.is_empty());
}

#[test]
fn under_stress_each_item_arrives_once() {
    const EACH: usize = 1000;
    let queue = Queue::bounded(4);
    let producers = PLACES.map(|place| {
        let (here, there) = (queue.clone(), queue.clone());
        let waits = async move {
            for n in 1..=EACH {
                if n % 4 == 0 {
                    // Given up, unless there is a place: then a zero is in.
                    _ = tried(here.put(0)).await;
                }
                here.put(n).await.unwrap();
            }
        };
        place.run(waits, move || (1..=EACH).for_each(|n| there.blocking_put(n).unwrap()))
    });
    let consumers = PLACES.map(|place| {
        let (here, there) = (queue.clone(), queue.clone());
        let waits = async move {
            let mut got = Vec::new();
            loop {
                if let Some(Ok(n)) = tried(here.get()).await {
                    got.push(n);
                    here.task_done().unwrap();
                }
                match here.get().await {
                    Ok(n) => got.push(n),
                    Err(Closed(())) => return got,
                }
                here.task_done().unwrap();
            }
        };
        let blocks = move || {
            let mut got = Vec::new();
            while let Ok(n) = there.blocking_get() {
                got.push(n);
                there.task_done().unwrap();
            }
            got
        };
        place.run(waits, blocks)
    });
    producers.into_iter().for_each(|thread| thread.join().unwrap());
    queue.blocking_join();
    queue.close();
    let mut got: Vec<usize> = consumers.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    got.retain(|n| *n > 0);
    got.sort_unstable();
    let expected: Vec<usize> = (1..=EACH).flat_map(|n| [n; PLACES.len()]).collect();
    assert_eq!(got, expected);
    assert!(format!("{queue:?}").contains("len: 0, capacity: Some(4), unfinished: 0, putting: 0, getting: 0"));
}

#[test]
fn under_stress_one_producer_is_in_order() {
    let queue = Queue::bounded(2);
    let lent = queue.clone();
    let producer = std::thread::spawn(move || {
        (0..5000).for_each(|n| lent.blocking_put(n).unwrap());
        lent.close();
    });
    let got = bridge::block_on(async {
        let mut got = Vec::new();
        while let Ok(n) = queue.get().await {
            got.push(n);
        }
        got
    });
    producer.join().unwrap();
    assert!(got.unwrap().into_iter().eq(0..5000));
}
