//! Streams: written as functions, iterated over by blocking code, made of blocking code.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use dewar::bridge::{self, Yielder};
use futures_core::Stream;
use futures_core::stream::FusedStream;
use futures_util::StreamExt;

use crate::support;

use super::POLICIES;

const MS: Duration = Duration::from_millis(1);

fn sends<T: Send>(it: T) -> T {
    it
}

/// The next item, or that there is none now.
async fn poll_once<S: Stream>(mut stream: Pin<&mut S>) -> Poll<Option<S::Item>> {
    poll_fn(|cx| Poll::Ready(stream.as_mut().poll_next(cx))).await
}

// ---- functions as streams

#[test]
fn a_function_as_a_stream() {
    for policy in POLICIES {
        let numbers = bridge::stream(async move |yielder| {
            for i in 0..3 {
                bridge::sleep(MS).await;
                yielder.send(i).await;
            }
        });
        assert_eq!(bridge::block_on_with(policy, numbers.collect::<Vec<_>>()).unwrap(), [0, 1, 2]);
    }
}

#[test]
fn it_runs_one_item_at_a_time_and_not_before_it_is_asked() {
    let trace = RefCell::new(Vec::new());
    let numbers = bridge::stream(async |yielder| {
        trace.borrow_mut().push("begins");
        yielder.send(1).await;
        trace.borrow_mut().push("after the first");
        yielder.send(2).await;
        trace.borrow_mut().push("ends");
    });
    bridge::block_on(async {
        let mut numbers = pin!(numbers);
        assert!(trace.borrow().is_empty());
        assert_eq!(numbers.next().await, Some(1));
        assert_eq!(trace.take(), ["begins"]);
        bridge::yield_now().await;
        assert_eq!(numbers.next().await, Some(2));
        assert_eq!(trace.take(), ["after the first"]);
        assert!(!numbers.is_terminated());
        assert_eq!(numbers.next().await, None);
        assert_eq!(trace.take(), ["ends"]);
        for _ in 0..3 {
            assert!(numbers.is_terminated());
            assert_eq!(numbers.next().await, None);
        }
    })
    .unwrap();
}

#[test]
fn it_may_borrow_and_need_not_be_send() {
    let words = Rc::new(vec![String::from("a"), String::from("b")]);
    let borrowed = bridge::stream(async |yielder: Yielder<&str>| {
        for word in words.iter() {
            yielder.send(word).await;
        }
    });
    assert_eq!(bridge::block_on(borrowed.collect::<Vec<_>>()).unwrap(), ["a", "b"]);
}

#[test]
fn it_is_send_if_its_body_is() {
    let stream = sends(bridge::stream(async |yielder| {
        let held = String::from("held over an await");
        bridge::sleep(MS).await;
        yielder.send(held.len()).await;
    }));
    let failing = sends(bridge::try_stream(async |yielder| {
        yielder.send(1).await;
        Err::<(), _>("the end")
    }));
    let both = bridge::spawn_shared(async { (stream.collect::<Vec<_>>().await, failing.collect::<Vec<_>>().await) });
    assert_eq!(both.join().unwrap(), (vec![18], vec![Ok(1), Err("the end")]));
}

#[test]
fn an_error_is_the_last_item() {
    let parsed = bridge::try_stream(async |yielder| {
        for word in ["1", "2", "x", "4"] {
            yielder.send(word.parse::<i32>()?).await;
        }
        Ok::<(), std::num::ParseIntError>(())
    });
    bridge::block_on(async {
        let mut parsed = pin!(parsed);
        assert_eq!(parsed.next().await, Some(Ok(1)));
        assert_eq!(parsed.next().await, Some(Ok(2)));
        assert!(parsed.next().await.unwrap().is_err());
        assert!(parsed.is_terminated());
        assert_eq!(parsed.next().await, None);
    })
    .unwrap();
    let fine = bridge::try_stream(async |yielder| {
        yielder.send(()).await;
        Ok::<(), ()>(())
    });
    assert_eq!(bridge::block_on(fine.collect::<Vec<_>>()).unwrap(), [Ok(())]);
}

#[test]
fn dropping_the_stream_runs_the_bodys_destructors() {
    let (alive, item) = (Rc::new(()), Rc::new(()));
    let stream = bridge::stream(async |yielder| {
        let _alive = Rc::clone(&alive);
        yielder.send(Rc::clone(&item)).await;
        pending::<()>().await;
    });
    bridge::block_on(async {
        let mut stream = Box::pin(stream);
        let first = stream.next().await.unwrap();
        assert_eq!(Rc::strong_count(&alive), 2);
        assert!(poll_once(stream.as_mut()).await.is_pending());
        drop(stream);
        assert_eq!(Rc::strong_count(&alive), 1);
        drop(first);
        assert_eq!(Rc::strong_count(&item), 1);
    })
    .unwrap();
}

#[test]
fn sends_at_once_have_their_turns() {
    for n in [2, 50] {
        let order = RefCell::new(Vec::new());
        let stream = bridge::stream(async |yielder| {
            let send = async |i| {
                yielder.send(i).await;
                order.borrow_mut().push(i);
            };
            bridge::gather((0..n).map(send)).await;
        });
        bridge::block_on(async {
            let mut stream = pin!(stream);
            for i in 0..n {
                assert_eq!(stream.next().await, Some(i));
                assert_eq!(order.borrow().len(), i, "resumed by the next question, one by one");
            }
            assert_eq!(stream.next().await, None);
        })
        .unwrap();
        assert_eq!(order.into_inner(), (0..n).collect::<Vec<_>>());
    }
}

#[test]
fn a_send_that_is_given_up_takes_its_item_back() {
    let stream = bridge::stream(async |yielder| {
        {
            let (mut first, mut second) = (pin!(yielder.send(1)), pin!(yielder.send(2)));
            // Both are given; only the first is taken; then the second is dropped.
            poll_fn(|cx| {
                let first = first.as_mut().poll(cx);
                if first.is_pending() {
                    assert!(second.as_mut().poll(cx).is_pending());
                }
                first
            })
            .await;
        }
        yielder.send(3).await;
    });
    assert_eq!(bridge::block_on(stream.collect::<Vec<_>>()).unwrap(), [1, 3]);
}

#[test]
fn a_task_may_send_for_the_body() {
    for policy in POLICIES {
        let stream = bridge::stream(async |yielder| {
            let task = bridge::spawn(async move {
                for i in 0..3 {
                    bridge::yield_now().await;
                    yielder.send(i).await;
                }
            });
            task.await.unwrap();
        });
        assert_eq!(bridge::block_on_with(policy, stream.collect::<Vec<_>>()).unwrap(), [0, 1, 2]);
        let stream = bridge::stream(async |yielder| {
            bridge::spawn_shared(async move {
                for i in 0..3 {
                    yielder.send(i).await;
                }
            })
            .await
            .unwrap();
        });
        assert_eq!(bridge::block_on_with(policy, stream.collect::<Vec<_>>()).unwrap(), [0, 1, 2]);
    }
}

#[test]
fn a_yielder_that_outlives_its_stream_panics_and_says_why() {
    bridge::block_on(async {
        let mut task = None;
        let ended = bridge::stream(async |yielder: Yielder<i32>| {
            task = Some(bridge::spawn(async move {
                bridge::yield_now().await;
                yielder.send(1).await;
            }));
        });
        assert!(ended.collect::<Vec<_>>().await.is_empty());
        let error = task.unwrap().await.unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("stream was gone"), "{error}");

        // Dropped while a send waits.
        let (slot, got) = (Cell::new(None), &Cell::new(false));
        let mut stream = Box::pin(bridge::stream(async |yielder| {
            slot.set(Some(bridge::spawn(async move {
                yielder.send(1).await;
                yielder.send(2).await;
            })));
            got.set(true);
            pending::<()>().await;
        }));
        assert_eq!(stream.next().await, Some(1));
        assert!(got.get());
        drop(stream);
        let error = slot.take().unwrap().await.unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("stream was gone"), "{error}");
    })
    .unwrap();
}

#[test]
fn a_panic_in_the_body_gets_out_and_ends_the_stream() {
    let alive = Rc::new(());
    let stream = bridge::stream(async |yielder| {
        let _alive = Rc::clone(&alive);
        yielder.send(1).await;
        panic!("in the body");
    });
    let mut items = bridge::block_on_iter(stream);
    assert_eq!(items.next(), Some(1));
    assert_eq!(support::panic_message(|| items.next()), "in the body");
    assert_eq!(Rc::strong_count(&alive), 1);
    assert_eq!(items.next(), None);
}

#[test]
fn the_body_may_use_streams_itself() {
    fn countdown(from: u32) -> Pin<Box<dyn Stream<Item = u32>>> {
        Box::pin(bridge::stream(async move |yielder| {
            yielder.send(from).await;
            if from > 0 {
                let mut rest = countdown(from - 1);
                while let Some(n) = rest.next().await {
                    yielder.send(n).await;
                }
            }
        }))
    }
    assert_eq!(bridge::block_on(countdown(5).collect::<Vec<_>>()).unwrap(), [5, 4, 3, 2, 1, 0]);
}
