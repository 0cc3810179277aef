//! A task manager: tasks with names that are listed, cancelled by name, and tell when they end.
//!
//! In asyncio: `create_task(coro, name=…)`, `task.add_done_callback`, `task.cancel()`, `asyncio.all_tasks()`.
//!
//! `cargo run --example cookbook_task_manager` prints (and, to stderr, the panic of `broken`)
//!
//! ```text
//! download: pending
//! watch: pending
//! broken: pending
//! [done] broken: panicked
//! [unhandled] broken
//! download: waiting
//! watch: waiting
//! cancelled watch: true, cancelled nobody: false
//! [done] watch: cancelled
//! download: waiting
//! [done] download: ok
//! left: 0
//! ```

use std::future::{self, Future};

use dewar::Result;
use dewar::bridge::{self, TaskError, TaskInfo, sync::Event};

/// Starts it and lets it go: from here on it is known by its name.
fn start(name: &'static str, future: impl Future<Output = ()> + 'static) {
    let task = bridge::spawn_named(name, future);
    task.add_done_callback(move |result| {
        let how = match result {
            Ok(()) => "ok",
            Err(TaskError::Cancelled { .. }) => "cancelled",
            Err(TaskError::Panicked { .. }) => "panicked",
            Err(_) => "never began",
        };
        println!("[done] {name}: {how}");
    });
    task.detach();
}

fn list() {
    for task in bridge::tasks() {
        println!("{}: {}", task.name().unwrap_or("?"), task.state());
    }
}

fn find(name: &str) -> Option<TaskInfo> {
    bridge::tasks().into_iter().find(|task| task.name() == Some(name))
}

fn cancel(name: &str) -> bool {
    find(name).inspect(TaskInfo::cancel).is_some()
}

pub fn main() -> Result<()> {
    // `loop.set_exception_handler`: nobody asks for the broken task's result.
    bridge::on_unhandled(|error| println!("[unhandled] {}", error.name().unwrap_or("?")));

    static ARRIVED: Event = Event::new();
    bridge::run(async {
        start("download", ARRIVED.wait());
        start("watch", future::pending());
        start("broken", async { panic!("out of luck") });
        list();
        bridge::yield_now().await; // each has a turn
        list();

        println!("cancelled watch: {}, cancelled nobody: {}", cancel("watch"), cancel("nobody"));
        bridge::yield_now().await;
        list();

        ARRIVED.set();
        bridge::yield_now().await;
        println!("left: {}", bridge::tasks().len());
        Ok(())
    })
}
