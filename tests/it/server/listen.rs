//! What a server listens on.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::Arc;

use dewar::server::{Addr, BindOptions, Server};
use dewar::{Request, Response};

use super::{Client, NEVER, start, until};

fn named(name: &'static str) -> Arc<impl Fn(Request) -> Response> {
    Arc::new(move |_: Request| Response::text(name))
}

#[test]
fn ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        return eprintln!("skipped: this machine has no ::1");
    }
    let server = Server::bind("[::1]:0").unwrap();
    let addr = server.addr();
    assert_eq!(server.local_addr(), &Addr::Tcp(addr));
    assert_eq!(server.local_addr().to_string(), format!("[::1]:{}", addr.port()));
    let server = server.start(named("six")).unwrap();
    assert_eq!(Client::connect(addr).get("/").body, "six");
    assert_eq!(server.shutdown(NEVER).cut, 0);
}

#[test]
#[cfg(unix)]
fn ipv6_only_leaves_the_port_on_ipv4() {
    if TcpListener::bind("[::1]:0").is_err() {
        return eprintln!("skipped: this machine has no ::1");
    }
    let only = BindOptions { only_v6: true, ..BindOptions::default() };
    let six = Server::bind_with("[::]:0", &only).unwrap();
    let four = Server::bind(format!("0.0.0.0:{}", six.addr().port()));
    // Another program may have had it first.
    if let Err(error) = &four {
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    }
    let port = six.addr().port();
    let _six = six.start(named("six")).unwrap();
    assert_eq!(Client::connect(([0, 0, 0, 0, 0, 0, 0, 1], port).into()).get("/").body, "six");
    let Ok(four) = four else { return };
    let _four = four.start(named("four")).unwrap();
    assert_eq!(Client::connect(([127, 0, 0, 1], port).into()).get("/").body, "four");
}

#[test]
#[cfg(target_os = "linux")]
fn servers_share_a_port_if_all_say_so() {
    let shared = BindOptions { reuse_port: true, ..BindOptions::default() };
    let first = Server::bind_with("127.0.0.1:0", &shared).unwrap();
    let addr = first.addr();
    assert_eq!(Server::bind(addr).unwrap_err().kind(), ErrorKind::AddrInUse);
    let second = Server::bind_with(addr, &shared).unwrap();
    let (_first, _second) = (first.start(named("first")).unwrap(), second.start(named("second")).unwrap());
    for name in ["first", "second"] {
        until(|| Client::connect(addr).get("/").body == name);
    }
}

#[test]
fn a_name_without_an_address_is_said() {
    let error = Server::bind("nobody.invalid:80").unwrap_err();
    assert!(error.to_string().starts_with("cannot listen on nobody.invalid:80: "), "{error}");
}

#[test]
fn the_address_is_told() {
    let (tell, told) = std::sync::mpsc::channel();
    let server = Server::bind("127.0.0.1:0").unwrap().on_ready(move |addr| tell.send(addr.clone()).unwrap());
    let server = server.start(named("x")).unwrap();
    assert_eq!(&told.recv().unwrap(), server.local_addr());
    assert_eq!(server.local_addr().tcp(), Some(server.addr()));
    assert_eq!(start(|_| Response::text("x")).local_addr().tcp().map(|addr| addr.port() == 0), Some(false));
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io::{BufReader, ErrorKind};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::{Path, PathBuf};
    use std::process::{Child, ChildStderr, Command, Stdio};

    use dewar::server::{Addr, Server};
    use dewar::{App, RunOptions};
    use log::LevelFilter;

    use super::super::shutdown::lines_until;
    use super::super::{Client, NEVER};
    use super::{TcpListener, named};
    use crate::support::Folder;

    fn socket_in(folder: &Folder) -> PathBuf {
        folder.0.join("site.sock")
    }

    #[test]
    fn a_socket_is_served_and_its_file_removed() {
        let folder = Folder::new("unix-served");
        let path = socket_in(&folder);
        let server = Server::bind_unix(&path).unwrap();
        assert_eq!(server.local_addr(), &Addr::Unix(path.clone()));
        assert_eq!(server.local_addr().unix(), Some(&*path));
        assert_eq!(server.addr(), ([0, 0, 0, 0], 0).into());
        let server = server.start(std::sync::Arc::new(|request: dewar::Request| {
            assert_eq!(request.remote_addr(), None);
            dewar::Response::text(request.take_body())
        }));
        let server = server.unwrap();
        assert_eq!(server.local_addr().to_string(), format!("unix:{}", path.display()));
        let mut client = Client::connect_unix(&path);
        for body in ["", "short", &"long".repeat(50_000)] {
            client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
            assert_eq!(client.answer().body, body);
        }
        assert_eq!(server.shutdown(NEVER).cut, 0);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_nobody_listens_on_is_replaced() {
        let folder = Folder::new("unix-stale");
        let path = socket_in(&folder);
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let server = Server::bind_unix(&path).unwrap().start(named("again")).unwrap();
        assert_eq!(Client::connect_unix(&path).get("/").body, "again");
        assert_eq!(server.shutdown(NEVER).cut, 0);
    }

    #[test]
    fn a_socket_in_use_is_left_alone() {
        let folder = Folder::new("unix-live");
        let path = socket_in(&folder);
        let server = Server::bind_unix(&path).unwrap().start(named("first")).unwrap();
        let error = Server::bind_unix(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let text = error.to_string();
        assert!(text.contains("another program listens") && text.contains("--host unix:PATH"), "{text}");
        assert_eq!(Client::connect_unix(&path).get("/").body, "first");
        assert_eq!(server.shutdown(NEVER).cut, 0);
    }

    #[test]
    fn a_socket_whose_backlog_is_full_is_in_use() {
        let folder = Folder::new("unix-full");
        let path = socket_in(&folder);
        let _listener = UnixListener::bind(&path).unwrap();
        // Each attempt is a connection that nobody accepts; one more than fit must not wait.
        for _ in 0..6000 {
            assert_eq!(Server::bind_unix(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        }
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = Folder::new("unix-other");
        let path = socket_in(&folder);
        fs::write(&path, "precious").unwrap();
        let link = folder.0.join("link.sock");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for path in [&path, &link, &folder.0] {
            let error = Server::bind_unix(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(error.to_string().contains("that is no socket"), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn what_is_wrong_with_a_path_is_said() {
        let folder = Folder::new("unix-wrong");
        for (path, says) in [
            (folder.0.join("no").join("site.sock"), "does not exist: make it"),
            (folder.0.join("x".repeat(200)), "is too long for a socket"),
        ] {
            let error = Server::bind_unix(path).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_file_that_another_one_has_made_stays() {
        let folder = Folder::new("unix-taken");
        let path = socket_in(&folder);
        let server = Server::bind_unix(&path).unwrap().start(named("x")).unwrap();
        fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        assert_eq!(server.shutdown(NEVER).cut, 0);
        UnixStream::connect(&path).unwrap();
        drop(other);
    }

    #[test]
    fn a_listener_that_was_given_keeps_its_file() {
        let folder = Folder::new("unix-given");
        let path = socket_in(&folder);
        let server = Server::from_listener(UnixListener::bind(&path).unwrap()).start(named("given")).unwrap();
        assert_eq!(server.local_addr(), &Addr::Unix(path.clone()));
        assert_eq!(Client::connect_unix(&path).get("/").body, "given");
        assert_eq!(server.shutdown(NEVER).cut, 0);
        assert!(path.exists());
    }

    #[test]
    fn a_server_that_never_starts_leaves_no_file() {
        let folder = Folder::new("unix-never");
        let path = socket_in(&folder);
        let server = Server::bind_unix(&path).unwrap();
        assert!(path.exists());
        drop(server);
        assert!(!path.exists());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_no_file_has_a_name_too() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("dewar-it-{}", std::process::id());
        let addr = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let server = Server::from_listener(UnixListener::bind_addr(&addr).unwrap());
        assert_eq!(server.local_addr().to_string(), format!("unix:@{name}"));
        let server = server.start(named("abstract")).unwrap();
        drop(UnixStream::connect_addr(&addr).unwrap());
        assert_eq!(server.shutdown(NEVER).cut, 0);
    }

    /// What `App::run` does is seen in a process of its own: this test is it.
    #[test]
    #[ignore = "what the tests below run in a process of its own"]
    fn child() {
        let Ok(host) = std::env::var("DEWAR_TEST_HOST") else { return };
        let mut app = App::new("child");
        app.get("/", || "from the child");
        let options = RunOptions { host, port: 0, log: LevelFilter::Info, ..RunOptions::default() };
        match app.run_with(options) {
            Ok(()) => eprintln!("ended"),
            Err(error) => eprintln!("failed {error}"),
        }
    }

    fn run(host: &str, passed: Option<OwnedFd>, variables: &str) -> (Child, BufReader<ChildStderr>) {
        // systemd passes sockets from the third descriptor on, and names the process that they are for.
        let script = format!("{variables} exec \"$0\" \"$@\" 3<&0 4<&0 </dev/null");
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "server::listen::unix::child", "--ignored", "--nocapture"])
            .env("DEWAR_TEST_HOST", host)
            .stdin(passed.map_or_else(Stdio::null, Stdio::from))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        (child, said)
    }

    fn end(mut child: Child, mut said: BufReader<ChildStderr>) {
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        lines_until(&mut said, "ended");
        assert!(child.wait().unwrap().success());
    }

    const PASSED: &str = "export LISTEN_FDS=1 LISTEN_PID=$$;";

    #[test]
    fn an_app_is_served_on_a_socket() {
        let folder = Folder::new("unix-run");
        let path = socket_in(&folder);
        let (child, mut said) = run(&format!("unix:{}", path.display()), None, "");
        assert_eq!(lines_until(&mut said, "listening on "), format!("unix:{}", path.display()));
        assert_eq!(Client::connect_unix(&path).get("/").body, "from the child");
        end(child, said);
        assert!(!path.exists());
    }

    #[test]
    fn a_passed_tcp_socket_is_served() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (child, mut said) = run("not looked at", Some(listener.into()), PASSED);
        assert_eq!(lines_until(&mut said, "listening on "), format!("http://{addr}"));
        assert_eq!(Client::connect(addr).get("/").body, "from the child");
        end(child, said);
    }

    #[test]
    fn a_passed_unix_socket_is_served_and_its_file_stays() {
        let folder = Folder::new("unix-passed");
        let path = socket_in(&folder);
        let listener = UnixListener::bind(&path).unwrap();
        let (child, mut said) = run("not looked at", Some(listener.into()), PASSED);
        assert_eq!(lines_until(&mut said, "listening on "), format!("unix:{}", path.display()));
        assert_eq!(Client::connect_unix(Path::new(&path)).get("/").body, "from the child");
        end(child, said);
        assert!(path.exists());
    }

    #[test]
    fn of_several_passed_sockets_the_first_is_served() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (child, mut said) = run("127.0.0.1", Some(listener.into()), "export LISTEN_FDS=2 LISTEN_PID=$$;");
        let warning = lines_until(&mut said, "[");
        assert!(warning.contains("WARN") && warning.contains("passes 2 sockets"), "{warning}");
        assert_eq!(lines_until(&mut said, "listening on "), format!("http://{addr}"));
        end(child, said);
    }

    #[test]
    fn sockets_for_another_process_are_not_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (child, mut said) = run("127.0.0.1", Some(listener.into()), "export LISTEN_FDS=1 LISTEN_PID=1;");
        assert_ne!(lines_until(&mut said, "listening on "), format!("http://{addr}"));
        end(child, said);
    }

    #[test]
    fn what_is_passed_and_no_listener_is_said() {
        let file = fs::File::open(std::env::current_exe().unwrap()).unwrap();
        let (mut child, mut said) = run("127.0.0.1", Some(file.into()), PASSED);
        let error = lines_until(&mut said, "failed ");
        assert!(error.contains("neither a TCP nor a Unix stream socket"), "{error}");
        child.wait().unwrap();
    }

    #[test]
    fn requests_are_logged_from_info_on() {
        let (child, mut said) = run("127.0.0.1", None, "");
        let url = lines_until(&mut said, "listening on ");
        let addr = url.strip_prefix("http://").unwrap().parse().unwrap();
        assert_eq!(Client::connect(addr).get("/?logged").status, 200);
        let line = lines_until(&mut said, "[");
        assert!(line.contains(r#"INFO in dewar::access: 127.0.0.1 "GET /?logged HTTP/1.1" 200 14 "#), "{line}");
        end(child, said);
    }
}
