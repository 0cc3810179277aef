//! `Event`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dewar::bridge::{self, sync::Event};

use super::{PLACES, refused, until, waiting};

#[test]
fn set_is_set_until_it_is_cleared() {
    let event = Event::new();
    assert!(!event.is_set());
    event.set();
    event.set();
    assert!(event.is_set());
    bridge::block_on(event.wait()).unwrap();
    event.blocking_wait();
    event.clear();
    assert!(!event.is_set());
    drop(waiting(event.wait()));
}

#[test]
fn set_releases_those_who_wait_even_if_it_is_cleared_at_once() {
    let event = Event::new();
    let before = [(); 3].map(|()| waiting(event.wait()));
    event.set();
    event.clear();
    let mut after = waiting(event.wait());
    for waiter in before {
        waiter.served();
    }
    assert!(!after.is_woken() && after.poll().is_pending());
}

#[test]
fn they_are_released_in_the_order_of_their_coming() {
    let (event, order) = (Event::new(), std::cell::RefCell::new(Vec::new()));
    bridge::block_on(async {
        let waiters = bridge::gather((0..5).map(async |i| {
            event.wait().await;
            order.borrow_mut().push(i);
        }));
        bridge::gather([Box::pin(async { drop(waiters.await) }) as std::pin::Pin<Box<dyn Future<Output = ()>>>, {
            Box::pin(async { event.set() })
        }])
        .await;
    })
    .unwrap();
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_wait_that_is_dropped_changes_nothing() {
    let event = Event::new();
    let [first, second, third] = [(); 3].map(|()| waiting(event.wait()));
    drop(first);
    event.set();
    event.clear();
    drop(second); // released and not polled
    third.served();
    drop(event.wait()); // never polled
    assert!(format!("{event:?}").contains("waiting: 0"));
}

#[test]
fn from_all_places() {
    let event = Arc::new(Event::new());
    let waiters = PLACES.map(|place| {
        let (here, there) = (Arc::clone(&event), Arc::clone(&event));
        place.run(async move { here.wait().await }, move || there.blocking_wait())
    });
    until(&event, "waiting: 5");
    event.set();
    waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
}

#[test]
fn a_limit_of_time() {
    let event = Arc::new(Event::new());
    assert!(!event.blocking_wait_timeout(Duration::ZERO));
    assert!(!event.blocking_wait_timeout(Duration::from_millis(2)));
    assert!(format!("{event:?}").contains("waiting: 0"), "it has left the line");
    for limit in [Duration::from_secs(3600), Duration::MAX] {
        let lent = Arc::clone(&event);
        let thread = std::thread::spawn(move || lent.blocking_wait_timeout(limit));
        until(&event, "waiting: 1");
        event.set();
        event.clear();
        assert!(thread.join().unwrap());
    }
    let timed_out = bridge::block_on(bridge::timeout(Duration::from_millis(1), event.wait())).unwrap();
    assert!(timed_out.is_err());
    event.set();
    assert!(event.blocking_wait_timeout(Duration::ZERO));
}

#[test]
fn blocking_is_refused_on_a_loop_if_it_would_wait() {
    let event = Arc::new(Event::new());
    let lent = Arc::clone(&event);
    refused("wait().await", move || lent.blocking_wait());
    let lent = Arc::clone(&event);
    refused("timeout(limit, event.wait()).await", move || {
        assert!(lent.blocking_wait_timeout(Duration::from_secs(1)));
    });
    event.set();
    bridge::block_on(async {
        event.blocking_wait();
        assert!(event.blocking_wait_timeout(Duration::ZERO));
    })
    .unwrap();
}

#[test]
fn under_stress_a_chain_goes_round() {
    // Each place waits for its own event, and sets the next one.
    const ROUNDS: usize = 600;
    let events: Arc<Vec<Event>> = Arc::new((0..PLACES.len() * ROUNDS + 1).map(|_| Event::new()).collect());
    let threads: Vec<_> = PLACES
        .into_iter()
        .enumerate()
        .map(|(first, place)| {
            let (here, there) = (Arc::clone(&events), Arc::clone(&events));
            let own = move || (0..ROUNDS).map(move |round| first + round * PLACES.len());
            let waits = async move {
                for i in own() {
                    here[i].wait().await;
                    here[i + 1].set();
                }
            };
            let blocks = move || {
                for i in own() {
                    there[i].blocking_wait();
                    there[i + 1].set();
                }
            };
            place.run(waits, blocks)
        })
        .collect();
    events[0].set();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(events.iter().all(Event::is_set));
}

#[test]
fn under_stress_flashes_release_all() {
    const EACH: usize = 300;
    let (event, released) = (Arc::new(Event::new()), Arc::new(AtomicUsize::new(0)));
    let threads = PLACES.map(|place| {
        let (here, there) = ((Arc::clone(&event), Arc::clone(&released)), (Arc::clone(&event), Arc::clone(&released)));
        let waits = async move {
            for _ in 0..EACH {
                here.0.wait().await;
                here.1.fetch_add(1, Ordering::Relaxed);
            }
        };
        let blocks = move || {
            for _ in 0..EACH {
                there.0.blocking_wait();
                there.1.fetch_add(1, Ordering::Relaxed);
            }
        };
        place.run(waits, blocks)
    });
    while released.load(Ordering::Relaxed) < EACH * PLACES.len() {
        event.set();
        event.clear();
        std::thread::yield_now();
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(released.load(Ordering::Relaxed), EACH * PLACES.len());
}
