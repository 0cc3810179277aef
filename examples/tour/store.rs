//! The guestbook's table, in an SQLite file that is made on first start.
//!
//! rusqlite blocks, and so may a handler: there is nothing to wrap. A `Store` is the app's state; a handler takes it
//! as `State<Store>`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde::{Deserialize, Serialize};

/// A pool of connections. There are never more of them than there were requests at once.
pub(crate) struct Store {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// An entry as it is in the table.
#[derive(Serialize)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    name: String,
    message: String,
    /// RFC 3339, in UTC.
    written: String,
}

/// An entry as it comes from a form or as JSON. What is missing is empty, so that [`NewEntry::mistakes`] can say so.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct NewEntry {
    pub(crate) name: String,
    pub(crate) message: String,
}

impl NewEntry {
    /// Without white space around, and with a browser's line ends made usual ones.
    pub(crate) fn tidy(self) -> NewEntry {
        let tidy = |text: String| text.replace("\r\n", "\n").trim().to_owned();
        NewEntry { name: tidy(self.name), message: tidy(self.message) }
    }

    /// What is wrong with it, by field.
    pub(crate) fn mistakes(&self) -> BTreeMap<&'static str, String> {
        let mut mistakes = BTreeMap::new();
        for (field, text, most) in [("name", &self.name, 40), ("message", &self.message, 500)] {
            let length = text.chars().count();
            if length == 0 {
                mistakes.insert(field, format!("Please write a {field}."));
            } else if length > most {
                mistakes.insert(field, format!("At most {most} characters fit; this has {length}."));
            }
        }
        mistakes
    }
}

const SCHEMA: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS entry (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        message TEXT NOT NULL,
        written TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
    );
    INSERT INTO entry (name, message)
        SELECT 'Dewar', 'Welcome! This is the first entry. Add yours, or delete this one: the file is yours.'
        WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'entry');
    COMMIT;
";

impl Store {
    /// The store in this file, with its table made if it is not there.
    pub(crate) fn open(file: impl Into<PathBuf>) -> Result<Store> {
        let store = Store { file: file.into(), idle: Mutex::default() };
        store.with(|connection| connection.execute_batch(SCHEMA))?;
        Ok(store)
    }

    /// Lends a connection, an idle one or a new one.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        // Taken in a statement of its own: the lock is not held while the work is done.
        let idle = self.idle.lock().expect("nothing panics while it is held").pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let result = work(&connection);
        self.idle.lock().expect("nothing panics while it is held").push(connection);
        result
    }

    fn connect(&self) -> Result<Connection> {
        let connection = Connection::open(&self.file)?;
        // Readers and the writer do not wait for one another, and a commit does not wait for the disk.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        Ok(connection)
    }

    /// The newest entries.
    pub(crate) fn newest(&self, limit: u32) -> Result<Vec<Entry>> {
        self.before(i64::MAX, limit)
    }

    /// The newest entries that are older than this one.
    pub(crate) fn before(&self, id: i64, limit: u32) -> Result<Vec<Entry>> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT id, name, message, written FROM entry WHERE id < ? ORDER BY id DESC LIMIT ?")?
                .query_map(params![id, limit], entry)?
                .collect()
        })
    }

    pub(crate) fn count(&self) -> Result<i64> {
        self.with(|connection| connection.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)))
    }

    pub(crate) fn get(&self, id: i64) -> Result<Option<Entry>> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT id, name, message, written FROM entry WHERE id = ?")?
                .query_row([id], entry)
                .optional()
        })
    }

    pub(crate) fn add(&self, new: &NewEntry) -> Result<Entry> {
        self.with(|connection| {
            connection
                .prepare_cached("INSERT INTO entry (name, message) VALUES (?, ?) RETURNING id, name, message, written")?
                .query_row([&new.name, &new.message], entry)
        })
    }

    /// Whether it was there.
    pub(crate) fn delete(&self, id: i64) -> Result<bool> {
        self.with(|connection| Ok(connection.execute("DELETE FROM entry WHERE id = ?", [id])? > 0))
    }
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    Ok(Entry { id: row.get(0)?, name: row.get(1)?, message: row.get(2)?, written: row.get(3)? })
}
