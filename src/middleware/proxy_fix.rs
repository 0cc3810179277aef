//! Behind a reverse proxy: who really asked, and for which address.

use std::net::{IpAddr, SocketAddr};

use http::header::HOST;
use http::{HeaderValue, Uri};

use crate::header_parts;
use crate::request::Request;
use crate::response::Response;
use crate::service::Service;

/// Puts right what a reverse proxy in front hides, by the `X-Forwarded-*` headers that it sets (Werkzeug's `ProxyFix`):
/// the client's address, the scheme, the host and the prefix.
///
/// Anybody can send such headers, so only those that one's own proxies set may be believed: for each of them it is said
/// how many proxies set it, and as many values from the right count. With fewer values than that the header is ignored.
/// Behind one nginx or Caddy that sets `X-Forwarded-For` and `X-Forwarded-Proto` the defaults are right; a server that
/// is reached directly must not use this.
///
/// ```
/// use dewar::middleware::ProxyFix;
/// use dewar::{App, request};
///
/// let mut app = App::new("shop");
/// app.get("/", || format!("{} {}", request().remote_addr().unwrap().ip(), request().url())).endpoint("index");
/// app.middleware(|app| ProxyFix::new(app).x_host(1));
///
/// let client = app.test_client();
/// let response = client
///     .request("GET", "/")
///     .header("x-forwarded-for", "6.6.6.6, 203.0.113.7") // the left one is what the client itself claims
///     .header("x-forwarded-proto", "https")
///     .header("x-forwarded-host", "shop.example")
///     .send();
/// assert_eq!(response.text(), "203.0.113.7 https://shop.example/");
/// ```
#[derive(Debug, Clone)]
pub struct ProxyFix<S> {
    inner: S,
    x_for: usize,
    x_proto: usize,
    x_host: usize,
    x_port: usize,
    x_prefix: usize,
}

/// What a request was before a [`ProxyFix`] changed it: in the request's extensions.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BeforeProxyFix {
    /// The proxy's own address.
    pub remote_addr: Option<SocketAddr>,
    /// Whether the proxy's own connection was by TLS.
    pub secure: bool,
    /// The host that the proxy asked for.
    pub host: String,
    /// The prefix.
    pub script_root: String,
}

impl<S> ProxyFix<S> {
    /// Around this service, behind one proxy that sets `X-Forwarded-For` and `X-Forwarded-Proto`.
    pub fn new(inner: S) -> ProxyFix<S> {
        ProxyFix { inner, x_for: 1, x_proto: 1, x_host: 0, x_port: 0, x_prefix: 0 }
    }

    /// The number of proxies that set `X-Forwarded-For`: the client's address. The default is 1; with 0 it is ignored.
    #[must_use]
    pub fn x_for(mut self, proxies: usize) -> Self {
        self.x_for = proxies;
        self
    }

    /// The number of proxies that set `X-Forwarded-Proto`: `http` or `https`. The default is 1.
    #[must_use]
    pub fn x_proto(mut self, proxies: usize) -> Self {
        self.x_proto = proxies;
        self
    }

    /// The number of proxies that set `X-Forwarded-Host`. The default is 0.
    #[must_use]
    pub fn x_host(mut self, proxies: usize) -> Self {
        self.x_host = proxies;
        self
    }

    /// The number of proxies that set `X-Forwarded-Port`. The default is 0.
    #[must_use]
    pub fn x_port(mut self, proxies: usize) -> Self {
        self.x_port = proxies;
        self
    }

    /// The number of proxies that set `X-Forwarded-Prefix`: the path under which the proxy mounts the app, and which it
    /// cuts off. The default is 0.
    #[must_use]
    pub fn x_prefix(mut self, proxies: usize) -> Self {
        self.x_prefix = proxies;
        self
    }

    fn fix(&self, mut request: Request) -> Request {
        let client = forwarded(&request, "x-forwarded-for", self.x_for).and_then(|value| address(&value));
        let scheme = forwarded(&request, "x-forwarded-proto", self.x_proto);
        let host = forwarded(&request, "x-forwarded-host", self.x_host);
        let port = forwarded(&request, "x-forwarded-port", self.x_port).and_then(|port| port.parse::<u16>().ok());
        let prefix = forwarded(&request, "x-forwarded-prefix", self.x_prefix);
        if client.is_none() && scheme.is_none() && host.is_none() && port.is_none() && prefix.is_none() {
            return request;
        }

        let before = BeforeProxyFix {
            remote_addr: request.remote_addr(),
            secure: request.is_secure(),
            host: request.host().to_owned(),
            script_root: request.script_root().to_owned(),
        };
        let mut new_host = host;
        if let Some(port) = port {
            let host = new_host.as_deref().unwrap_or(&before.host);
            new_host = Some(format!("{}:{port}", without_port(host)));
        }
        // One that cannot be a host's name changes nothing.
        let named = new_host.filter(|host| host.parse::<http::uri::Authority>().is_ok());
        if let Some(host) = named.and_then(|host| HeaderValue::try_from(host).ok()) {
            let head = request.head_mut();
            head.headers.insert(HOST, host);
            // A target with a host of its own would come first.
            if head.uri.authority().is_some() {
                let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
                if let Ok(uri) = path.parse::<Uri>() {
                    head.uri = uri;
                }
            }
        }
        request.head_mut().extensions.insert(before);
        if let Some(client) = client {
            request = request.with_remote_addr(client);
        }
        match scheme.as_deref() {
            Some("https" | "wss") => request = request.with_secure(true),
            Some("http" | "ws") => request = request.with_secure(false),
            _ => {}
        }
        if let Some(prefix) = prefix {
            request = request.with_script_root(&prefix);
        }
        request
    }
}

impl<S: Service> Service for ProxyFix<S> {
    fn call(&self, request: Request) -> Response {
        self.inner.call(self.fix(request))
    }
}

/// The value that the outermost of `proxies` set: the one at this place from the right, over all headers of the name.
fn forwarded(request: &Request, name: &str, proxies: usize) -> Option<String> {
    let back = proxies.checked_sub(1)?;
    // Bytes beyond ASCII are read, too: a line of which the client has written the beginning must not go unseen.
    let lines: Vec<_> = request.headers().get_all(name).iter().map(header_parts::text).collect();
    let values: Vec<&str> = lines.iter().flat_map(|line| line.split(',')).collect();
    let value = values.iter().rev().nth(back)?.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

/// An address with or without a port, and IPv6 with or without brackets.
fn address(text: &str) -> Option<SocketAddr> {
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Some(SocketAddr::new(ip, 0));
    }
    text.parse().ok()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}
