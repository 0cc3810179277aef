//! `oneshot`.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use dewar::bridge::sync::{Dropped, Queue, TryRecvError, oneshot};
use dewar::bridge::{self};

use super::{PLACES, refused, tried, waiting};

#[test]
fn one_value_once() {
    let (sender, mut receiver) = oneshot();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.send(1).unwrap();
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Dropped), "given out");
    assert_eq!(bridge::block_on(receiver).unwrap(), Err(Dropped));

    let (sender, receiver) = oneshot();
    sender.send(2).unwrap();
    assert_eq!(receiver.blocking_recv(), Ok(2));

    let (sender, receiver) = oneshot();
    let receiver = waiting(receiver);
    sender.send(3).unwrap();
    assert_eq!(receiver.served(), Ok(3));
}

#[test]
fn a_dropped_sender_says_so() {
    let (sender, receiver) = oneshot::<u8>();
    let receiver = waiting(receiver);
    drop(sender);
    let error = receiver.served().unwrap_err();
    assert!(error.to_string().contains("dropped without sending"), "{error}");
    let (_, mut receiver) = oneshot::<u8>();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Dropped));
    assert_eq!(receiver.blocking_recv(), Err(Dropped));
}

#[test]
fn a_dropped_receiver_is_seen_by_the_sender() {
    let (sender, receiver) = oneshot();
    assert!(!sender.is_closed());
    let closed = [(); 2].map(|()| waiting(sender.closed()));
    drop(waiting(sender.closed()));
    drop(receiver);
    closed.into_iter().for_each(super::ByHand::served);
    assert!(sender.is_closed());
    bridge::block_on(sender.closed()).unwrap();
    assert_eq!(sender.send(1), Err(1));
}

#[test]
fn closed_it_still_has_what_was_sent_before() {
    let (sender, mut receiver) = oneshot();
    sender.send(1).unwrap();
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(1));

    let (sender, mut receiver) = oneshot();
    let closed = waiting(sender.closed());
    receiver.close();
    closed.served();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Dropped));
    assert_eq!(sender.send(1), Err(1));
    assert_eq!(receiver.blocking_recv(), Err(Dropped));
}

#[test]
fn a_value_that_nobody_takes_is_dropped_with_the_receiver() {
    let witness = Arc::new(());
    let (sender, receiver) = oneshot();
    sender.send(Arc::clone(&witness)).unwrap();
    assert_eq!(Arc::strong_count(&witness), 2);
    drop(receiver);
    assert_eq!(Arc::strong_count(&witness), 1);
}

#[test]
fn a_wait_for_a_lent_receiver_can_be_dropped() {
    let (sender, mut receiver) = oneshot();
    let wait = waiting(&mut receiver);
    sender.send(1).unwrap();
    assert!(wait.is_woken());
    drop(wait); // woken and not polled
    assert_eq!(receiver.blocking_recv(), Ok(1));

    let (sender, mut receiver) = oneshot();
    let too_early = bridge::block_on(bridge::timeout(Duration::from_millis(1), &mut receiver)).unwrap();
    assert!(too_early.is_err());
    thread::spawn(move || sender.send(2).unwrap());
    assert_eq!(futures_lite::future::block_on(&mut receiver), Ok(2), "woken on another executor");

    // The value is taken in between.
    let (sender, mut receiver) = oneshot();
    drop(waiting(&mut receiver));
    sender.send(3).unwrap();
    assert_eq!(receiver.try_recv(), Ok(3));
    assert_eq!(bridge::block_on(receiver).unwrap(), Err(Dropped));
}

#[test]
fn from_all_places() {
    for place in PLACES {
        let (sender, receiver) = oneshot();
        let (also, other) = oneshot();
        let waiter = place.run(receiver, move || other.blocking_recv());
        // That of the way that was not taken is dropped.
        let arrived = [sender.send(place), also.send(place)];
        assert!(arrived.contains(&Ok(())));
        assert_eq!(waiter.join().unwrap(), Ok(place));
    }
}

#[test]
fn blocking_is_refused_on_a_loop_if_it_would_wait() {
    let keep = Queue::unbounded();
    let senders = keep.clone();
    refused("receiver.await", move || {
        let (sender, receiver) = oneshot::<u8>();
        senders.try_put(sender).unwrap();
        receiver.blocking_recv().unwrap();
    });
    assert_eq!(keep.len(), 3);
    bridge::block_on(async {
        let (sender, receiver) = oneshot();
        sender.send(1).unwrap();
        assert_eq!(receiver.blocking_recv(), Ok(1));
    })
    .unwrap();
}

#[test]
fn under_stress_each_value_arrives() {
    const EACH: usize = 600;
    let requests = Queue::bounded(8);
    let servers: Vec<_> = (0..2)
        .map(|_| {
            let requests = requests.clone();
            thread::spawn(move || {
                let mut given_up = 0;
                while let Ok((n, reply)) = requests.blocking_get() {
                    let reply: dewar::bridge::sync::Sender<usize> = reply;
                    match n % 3 {
                        0 => drop(reply),
                        _ => given_up += usize::from(reply.send(n * 2).is_err()),
                    }
                }
                given_up
            })
        })
        .collect();
    let clients = PLACES.map(|place| {
        let (here, there) = (requests.clone(), requests.clone());
        let check = |n: usize, reply| assert_eq!(reply, if n.is_multiple_of(3) { Err(Dropped) } else { Ok(n * 2) });
        let waits = async move {
            for n in 0..EACH {
                let (sender, mut receiver) = oneshot();
                here.put((n, sender)).await.unwrap();
                let reply = match tried(&mut receiver).await {
                    Some(reply) => reply,
                    None => receiver.await,
                };
                check(n, reply);
            }
        };
        let blocks = move || {
            for n in 0..EACH {
                let (sender, receiver) = oneshot();
                there.blocking_put((n, sender)).unwrap();
                check(n, receiver.blocking_recv());
            }
        };
        place.run(waits, blocks)
    });
    clients.into_iter().for_each(|client| client.join().unwrap());
    requests.close();
    let given_up: usize = servers.into_iter().map(|server| server.join().unwrap()).sum();
    assert_eq!(given_up, 0);
}
