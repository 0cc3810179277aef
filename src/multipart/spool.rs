//! Where the bytes of uploads go: memory for small ones, one temporary file for the others of a form.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::error::HttpError;
use crate::upload::Content;

/// A file of more bytes goes to disk, as in Werkzeug.
const IN_MEMORY: usize = 500 * 1024;

/// All files of a form together have so many bytes in memory at most; a thousand small ones are large, too.
const ALL_IN_MEMORY: usize = 4 * 1024 * 1024;

/// Takes one file after the other. Large ones share one temporary file without a name: a thousand uploads must not use
/// up the process's descriptors. The system removes it with its last handle.
#[derive(Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    kept: usize,
    disk: Option<Disk>,
    /// Where the present file begins on disk, once it is there.
    start: Option<u64>,
}

struct Disk {
    file: Arc<Mutex<File>>,
    len: u64,
}

impl Spool {
    pub(super) fn write(&mut self, data: &[u8]) -> Result<(), HttpError> {
        let len = self.memory.len() + data.len();
        if self.start.is_none() && len <= IN_MEMORY && self.kept + len <= ALL_IN_MEMORY {
            self.memory.extend_from_slice(data);
            return Ok(());
        }
        self.write_to_disk(data).map_err(|error| {
            log::error!("an upload could not be written to a temporary file: {error}");
            HttpError::new(500).with_description("The server could not store the upload.")
        })
    }

    fn write_to_disk(&mut self, data: &[u8]) -> io::Result<()> {
        let disk = match &mut self.disk {
            Some(disk) => disk,
            none => none.insert(Disk { file: Arc::new(Mutex::new(tempfile::tempfile()?)), len: 0 }),
        };
        let mut file = disk.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(disk.len))?;
        self.start.get_or_insert(disk.len);
        file.write_all(&self.memory)?;
        file.write_all(data)?;
        disk.len += (self.memory.len() + data.len()) as u64;
        self.memory = Vec::new();
        Ok(())
    }

    /// The file is whole.
    pub(super) fn finish(&mut self) -> Content {
        match (self.start.take(), &self.disk) {
            (Some(start), Some(disk)) => Content::Disk { file: Arc::clone(&disk.file), start, len: disk.len - start },
            _ => {
                self.kept += self.memory.len();
                Content::Memory(Bytes::from(std::mem::take(&mut self.memory)))
            }
        }
    }
}
