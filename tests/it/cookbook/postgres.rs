//! The database program against a PostgreSQL server of the test's own, where PostgreSQL is installed.

use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, process};

/// Whom the server runs as if the tests run as root, which it refuses.
const NOBODY: u32 = 65534;

/// A server that listens on a socket in its own folder, and on no port.
struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
}

impl Postgres {
    fn start(bin: PathBuf) -> Postgres {
        let folder = env::temp_dir().join(format!("dewar-pg-{}", process::id()));
        fs::create_dir(&folder).unwrap();
        let server = Postgres { bin, folder };
        if rustix::process::geteuid().is_root() {
            chown(&server.folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        server.run("initdb", ["--auth=trust", "--username=cook", "--no-sync", "--pgdata", &server.data()]);
        let options = format!("-c listen_addresses='' -c fsync=off -k {}", server.folder.display());
        let log = server.folder.join("log").display().to_string();
        // Comes back when connections are answered.
        server.run("pg_ctl", ["start", "--wait", "--pgdata", &server.data(), "--log", &log, "--options", &options]);
        server
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn url(&self) -> String {
        format!("postgresql:///postgres?user=cook&host={}", self.folder.display())
    }

    fn run(&self, program: &str, arguments: impl IntoIterator<Item: AsRef<OsStr>>) {
        let told = self.folder.join(format!("{program}.err"));
        let mut command = Command::new(self.bin.join(program));
        // A file, not a pipe: the server inherits it, and would keep a pipe open.
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(&told).unwrap());
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let status = command.status().unwrap();
        assert!(status.success(), "{program}: {status}\n{}", fs::read_to_string(told).unwrap());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        if Path::new(&data).join("postmaster.pid").exists() {
            self.run("pg_ctl", ["stop", "--mode=immediate", "--wait", "--pgdata", &data]);
        }
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// Where `initdb` is: in the path, or where Debian keeps it out of the path.
fn bin() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.filter_map(|version| Some(version.ok()?.path().join("bin")));
    env::split_paths(&path).chain(debian).find(|folder| folder.join("initdb").exists())
}

#[test]
fn database_with_postgresql() {
    let Some(bin) = bin() else {
        eprintln!("skipped: no `initdb` in the path or below /usr/lib/postgresql. Install PostgreSQL to run this test");
        return;
    };
    let heads = super::heads("database");
    let (sqlite, _left_out) = heads[0].trim_end().rsplit_once('\n').unwrap();
    let server = Postgres::start(bin);
    assert_eq!(super::output("database", Some(&server.url())), format!("{sqlite}\n{}", heads[1]));
}
