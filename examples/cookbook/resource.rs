//! A resource that is given back whatever happens: at the end, on an error, on a cancel.
//!
//! In asyncio: `async with`, `asynccontextmanager`, and `except CancelledError` with an `await` in it.
//!
//! `cargo run --example cookbook_resource` prints
//!
//! ```text
//! open a, use a, close a
//! open b, fail: no disk space, close b
//! open c, close c, given up: not done within 1ms
//! open d, cancelled, close d, say goodbye to d's server
//! ```

use std::cell::RefCell;
use std::future;
use std::rc::Rc;
use std::time::Duration;

use dewar::bridge::{self, TaskBuilder};
use dewar::{Error, Result};

/// What happened, in its order.
type Log = Rc<RefCell<Vec<String>>>;

fn say(log: &Log, what: impl Into<String>) {
    log.borrow_mut().push(what.into());
}

struct Resource {
    name: &'static str,
    log: Log,
}

impl Resource {
    async fn open(name: &'static str, log: &Log) -> Resource {
        bridge::yield_now().await;
        say(log, format!("open {name}"));
        Resource { name, log: Rc::clone(log) }
    }
}

/// `__aexit__`, as far as it need not wait. It runs on every way out: nobody can leave it out.
impl Drop for Resource {
    fn drop(&mut self) {
        say(&self.log, format!("close {}", self.name));
    }
}

fn show(log: &Log) {
    println!("{}", log.take().join(", "));
}

pub fn main() -> Result<()> {
    let log = Log::default();
    bridge::run(async {
        {
            let a = Resource::open("a", &log).await;
            say(&log, format!("use {}", a.name));
        }
        show(&log);

        let failing = async {
            let _b = Resource::open("b", &log).await;
            say(&log, "fail: no disk space");
            Err::<(), _>(Error::msg("no disk space"))
        };
        assert!(failing.await.is_err());
        show(&log);

        let slow = async {
            let _c = Resource::open("c", &log).await;
            future::pending::<()>().await;
        };
        if let Err(elapsed) = bridge::timeout(Duration::from_millis(1), slow).await {
            say(&log, format!("given up: {elapsed}"));
        }
        show(&log);

        // What must wait to clean up says so when its task is made.
        let (for_task, for_cleanup) = (Rc::clone(&log), Rc::clone(&log));
        let task = TaskBuilder::new()
            .on_cancel(Duration::from_secs(1), async move || {
                bridge::yield_now().await; // talks to the server
                say(&for_cleanup, "say goodbye to d's server");
            })
            .spawn(async move {
                let _d = Resource::open("d", &for_task).await;
                future::pending::<()>().await;
            });
        while log.borrow().is_empty() {
            bridge::yield_now().await; // until it is open
        }
        task.cancel();
        say(&log, "cancelled");
        assert!(task.await.is_err_and(|error| error.is_cancelled()));
        show(&log);
        Ok(())
    })
}
