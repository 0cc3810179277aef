//! A database behind a small pool: rows written in batches, read in pages, and a query that takes too long given up.
//! SQLite, whose calls block, through `unblock`; PostgreSQL through an async crate on tokio (feature `tokio`).
//!
//! In asyncio: `asyncpg.create_pool`, `executemany`, `asyncio.timeout`; `sqlite3` through `to_thread`.
//!
//! `cargo run --example cookbook_database` prints
//!
//! ```text
//! SQLite: 1000 rows in 4 batches
//! SQLite: pages of [400, 400, 200] rows, read by 2 connections
//! SQLite: the endless query: not done within 50ms
//! SQLite: connections in the pool afterwards: 2
//! PostgreSQL: left out, since DATABASE_URL is not set
//! ```
//!
//! and with `DATABASE_URL=postgresql://…` before it, in the place of the last line
//!
//! ```text
//! PostgreSQL: 1000 rows in 4 batches
//! PostgreSQL: pages of [400, 400, 200] rows, read by 2 connections
//! PostgreSQL: the endless query: not done within 50ms
//! PostgreSQL: connections in the pool afterwards: 2
//! ```

use std::path::Path;
use std::time::Duration;
use std::{env, fs, process};

use dewar::bridge::{self, sync::Queue};
use dewar::{Error, Result};

const ROWS: i64 = 1000;
const BATCH: usize = 250;
const PAGE: i64 = 400;
const PATIENCE: Duration = Duration::from_secs(60);
const IMPATIENCE: Duration = Duration::from_millis(50);

fn report(database: &str, batches: usize, pages: &[usize], given_up: &Error, left: usize) {
    println!("{database}: {ROWS} rows in {batches} batches");
    println!("{database}: pages of {pages:?} rows, read by 2 connections");
    println!("{database}: the endless query: {given_up}");
    println!("{database}: connections in the pool afterwards: {left}");
}

mod sqlite {
    use super::*;
    use rusqlite::Connection;

    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    /// A pool is a queue of connections: who wants one waits for its turn.
    struct Pool(Queue<Connection>);

    impl Pool {
        /// Runs `query` on a thread that may block, with one of the connections.
        async fn run<T: Send + 'static>(
            &self,
            limit: Duration,
            query: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
        ) -> Result<T> {
            let connections = self.0.clone();
            // Shielded, so that the connection comes back even if whoever waits for the query is cancelled.
            let query = bridge::shield(async move {
                let mut connection = connections.get().await?;
                let interrupt = connection.get_interrupt_handle();
                let mut job = bridge::unblock(move || (query(&mut connection), connection));
                let (result, connection) = match bridge::timeout(limit, &mut job).await {
                    Ok(done) => {
                        let (result, connection) = done?;
                        (result.map_err(Error::from), connection)
                    }
                    Err(elapsed) => {
                        interrupt.interrupt(); // a closure that runs cannot be cancelled, but SQLite can
                        (Err(elapsed.into()), job.await?.1)
                    }
                };
                connections.put(connection).await.expect("nobody closes the pool");
                result
            });
            query.await?
        }
    }

    async fn use_it(pool: &Pool) -> Result<()> {
        let names: Vec<String> = (1..=ROWS).map(|n| format!("item {n}")).collect();
        let batches = bridge::try_gather(names.chunks(BATCH).map(<[_]>::to_vec).map(|batch| {
            pool.run(PATIENCE, move |connection| {
                // At once for writing: two that begin by reading would be in each other's way.
                let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                for name in batch {
                    transaction.execute("INSERT INTO items (name) VALUES (?1)", [name])?;
                }
                transaction.commit()
            })
        }));
        let batches = batches.await?.len();
        let pages = (0..ROWS).step_by(PAGE as usize).map(|after| {
            pool.run(PATIENCE, move |connection| {
                let mut query = connection.prepare("SELECT name FROM items WHERE id > ?1 ORDER BY id LIMIT ?2")?;
                query.query_map([after, PAGE], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
            })
        });
        let pages: Vec<_> = bridge::try_gather(pages).await?.iter().map(Vec::len).collect();
        let endless = pool.run(IMPATIENCE, |connection| connection.query_row(ENDLESS, [], |row| row.get::<_, i64>(0)));
        let given_up = endless.await.err().ok_or_else(|| Error::msg("the endless query came to an end"))?;
        report("SQLite", batches, &pages, &given_up, pool.0.len());
        Ok(())
    }

    pub(super) fn main(file: &Path) -> Result<()> {
        let connections = Queue::bounded(2);
        for _ in 0..2 {
            let connection = Connection::open(file)?;
            connection.busy_timeout(PATIENCE)?;
            connection
                .execute_batch("CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")?;
            connections.blocking_put(connection).expect("nobody closes the pool");
        }
        bridge::run(use_it(&Pool(connections)))
    }
}

mod postgres {
    use std::pin::pin;

    use super::*;
    use bridge::LoopPolicy;
    use tokio_postgres::types::ToSql;
    use tokio_postgres::{Client, NoTls, Row};

    /// A connection in use: it goes back into the pool when it is dropped, also by a cancel. Such a client can go on,
    /// since an answer that nobody waits for is thrown away.
    struct Lent<'a>(&'a Queue<Client>, Option<Client>);

    impl Drop for Lent<'_> {
        fn drop(&mut self) {
            if let Some(client) = self.1.take() {
                self.0.try_put(client).expect("its place is free");
            }
        }
    }

    async fn query(
        pool: &Queue<Client>,
        limit: Duration,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let lent = Lent(pool, Some(pool.get().await?));
        let client = lent.1.as_ref().expect("taken by `drop` only");
        let mut rows = pin!(client.query(sql, parameters));
        match bridge::timeout(limit, &mut rows).await {
            Ok(rows) => Ok(rows?),
            Err(elapsed) => {
                client.cancel_token().cancel_query(NoTls).await?;
                let _cancelled = rows.await; // so that the cancel hits no later query
                Err(elapsed.into())
            }
        }
    }

    async fn use_it(url: &str) -> Result<()> {
        let pool = Queue::bounded(2);
        for _ in 0..2 {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            bridge::spawn_shared(connection).detach(); // the socket's side: it ends with the client
            pool.put(client).await?;
        }
        query(&pool, PATIENCE, "DROP TABLE IF EXISTS cookbook_items", &[]).await?;
        query(&pool, PATIENCE, "CREATE TABLE cookbook_items (id bigserial PRIMARY KEY, name text NOT NULL)", &[])
            .await?;

        let names: Vec<String> = (1..=ROWS).map(|n| format!("item {n}")).collect();
        let insert = "INSERT INTO cookbook_items (name) SELECT * FROM unnest($1::text[])";
        let batches = names.chunks(BATCH).map(async |batch| query(&pool, PATIENCE, insert, &[&batch]).await);
        let batches = bridge::try_gather(batches).await?.len();
        let select = "SELECT name FROM cookbook_items ORDER BY id LIMIT $1 OFFSET $2";
        let pages = (0..ROWS).step_by(PAGE as usize);
        let pages = pages.map(async |start| query(&pool, PATIENCE, select, &[&PAGE, &start]).await);
        let pages: Vec<_> = bridge::try_gather(pages).await?.iter().map(Vec::len).collect();
        let given_up = query(&pool, IMPATIENCE, "SELECT pg_sleep(3600)", &[]).await.err();
        let given_up = given_up.ok_or_else(|| Error::msg("the endless query came to an end"))?;
        query(&pool, PATIENCE, "DROP TABLE cookbook_items", &[]).await?;
        report("PostgreSQL", batches, &pages, &given_up, pool.len());
        Ok(())
    }

    pub(super) fn main(url: &str) -> Result<()> {
        bridge::with_policy(LoopPolicy::tokio(), || bridge::run(use_it(url)))
    }
}

pub fn main() -> Result<()> {
    let folder = env::temp_dir().join(format!("dewar-cookbook-database-{}", process::id()));
    fs::create_dir(&folder)?;
    let result = sqlite::main(&folder.join("items.sqlite"));
    fs::remove_dir_all(&folder)?;
    result?;
    match env::var("DATABASE_URL") {
        Ok(url) => postgres::main(&url),
        Err(_) => {
            println!("PostgreSQL: left out, since DATABASE_URL is not set");
            Ok(())
        }
    }
}
