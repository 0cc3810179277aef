//! Task groups in handlers: their errors by `?`.

use dewar::bridge::{self, GroupTask};
use dewar::{App, Error, Result};

use crate::support;

async fn fails(why: &'static str) -> Result<()> {
    bridge::yield_now().await;
    Err(Error::msg(why))
}

#[test]
fn the_first_error_of_a_group_is_the_handlers_and_the_others_are_logged() {
    let log = support::log_capture();
    let failed = bridge::run(async {
        let group = bridge::task_group(async |group| {
            let children = ["the group's first", "the group's second", "the group's third"];
            let _children: Vec<GroupTask<()>> = children.into_iter().map(|why| group.spawn(fails(why))).collect();
            Ok(())
        });
        group.await?;
        Ok(())
    });
    let first = failed.unwrap_err().to_string();
    let all = log.with("the group's ");
    let of_the_others: Vec<_> = all.iter().filter(|record| record.contains("in the same task group")).collect();
    assert!(first.starts_with("the group's "), "{first}");
    assert_eq!(of_the_others.len(), 2, "{all:?}");
    assert!(of_the_others.iter().all(|record| !record.ends_with(&first)), "{all:?}");
}

#[test]
fn a_group_that_aborts_answers_with_its_status() {
    let mut app = App::new("groups");
    app.get("/", async || -> Result<&'static str> {
        bridge::task_group(async |group| {
            group.spawn(async { Err::<(), Error>(dewar::abort(404).into()) });
            Ok(())
        })
        .await?;
        Ok("found")
    });
    assert_eq!(support::client(app).get("/").status(), 404);
}
