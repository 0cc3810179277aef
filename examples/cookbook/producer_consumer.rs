//! Producers and consumers with a bounded queue between them.
//!
//! In asyncio: `asyncio.Queue(maxsize=2)`, `task_done`, `join`, and `shutdown` (3.13).
//!
//! `cargo run --example cookbook_producer_consumer` prints
//!
//! ```text
//! left put 5
//! right put 5
//! all are done
//! consumers got 10 items, their sum is 530
//! never more than 2 in the queue: true
//! ```

use dewar::bridge::{self, sync::Queue};
use dewar::{Error, Result};

async fn produce(name: &str, items: std::ops::Range<u32>, queue: &Queue<u32>) -> Result<String> {
    let mut count = 0;
    for item in items {
        queue.put(item).await?; // waits while the queue is full
        count += 1;
    }
    Ok(format!("{name} put {count}"))
}

/// Ends when the queue is closed and empty.
async fn consume(queue: Queue<u32>) -> (usize, u32, usize) {
    let (mut count, mut sum, mut most) = (0, 0, 0);
    while let Ok(item) = queue.get().await {
        most = most.max(queue.len());
        bridge::yield_now().await; // the work
        count += 1;
        sum += item;
        queue.task_done().expect("once for each item");
    }
    (count, sum, most)
}

pub fn main() -> Result<()> {
    let queue = Queue::bounded(2);
    bridge::run(async {
        let consumers: Vec<_> = (0..3).map(|_| bridge::spawn(consume(queue.clone()))).collect();

        // The producers run in here, so they may borrow the queue; the consumers are tasks, and have handles.
        let producers = [produce("left", 1..6, &queue), produce("right", 101..106, &queue)];
        for line in bridge::try_gather(producers).await? {
            println!("{line}");
        }
        queue.join().await;
        println!("all are done");
        queue.close();

        let (mut count, mut sum, mut most) = (0, 0, 0);
        for consumer in consumers {
            let (its_count, its_sum, its_most) = consumer.await?;
            (count, sum, most) = (count + its_count, sum + its_sum, most.max(its_most));
        }
        println!("consumers got {count} items, their sum is {sum}");
        println!("never more than 2 in the queue: {}", most <= 2);
        Ok::<(), Error>(())
    })
}
