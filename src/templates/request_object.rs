//! `request` in a template.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use minijinja::value::{Object, ObjectRepr, Serde, Value};
use minijinja::{Error as TemplateError, ErrorKind, State};

use crate::ctx::Ctx;
use crate::multidict::MultiDict;
use crate::request::Request;

/// `request` in a template.
pub(super) struct RequestObject {
    ctx: Arc<Ctx>,
    /// Made once: a loop over `request.headers` that asks `request.headers` for each of them must not make them anew.
    headers: OnceLock<Value>,
    cookies: OnceLock<Value>,
}

impl RequestObject {
    pub(super) fn new(ctx: Arc<Ctx>) -> RequestObject {
        RequestObject { ctx, headers: OnceLock::new(), cookies: OnceLock::new() }
    }
}

impl fmt::Debug for RequestObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ctx.request().fmt(f)
    }
}

impl Object for RequestObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let request: &Request = self.ctx.request();
        Some(match key.as_str()? {
            "method" => request.method().as_str().into(),
            "path" => match request.decoded_path() {
                Ok(path) => path.into_owned().into(),
                Err(_) => request.linked_path().into(),
            },
            "full_path" => request.full_path().into(),
            "query_string" => request.query_string().into(),
            "url" => request.url().into(),
            "host" => request.host().into(),
            "host_url" => request.host_url().into(),
            "base_url" => request.base_url().into(),
            "url_root" | "root_url" => request.root_url().into(),
            "is_json" => request.is_json().into(),
            "blueprints" => self.ctx.blueprints().into_iter().map(Value::from).collect(),
            "scheme" => request.scheme().into(),
            "is_secure" => request.is_secure().into(),
            "remote_addr" => request.remote_addr().map(|addr| addr.ip().to_string()).into(),
            "endpoint" => self.ctx.endpoint().into(),
            "blueprint" => self.ctx.blueprint().into(),
            "url_rule" => self.ctx.url_rule().into(),
            "args" => Value::from_object(Pairs::Args(request.clone())),
            "form" => Value::from_object(Pairs::Form(request.clone())),
            "cookies" => self.cookies.get_or_init(|| Value::from_object(Pairs::Own(request.cookies()))).clone(),
            "headers" => {
                let made = self.headers.get_or_init(|| {
                    let headers = request.headers().iter();
                    let pairs = headers.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
                    Value::from_object(Pairs::Own(pairs.map(|(name, value)| (name, value.into_owned())).collect()))
                });
                made.clone()
            }
            "view_args" => {
                let names = self.ctx.view_arg_names().iter();
                let values = names.enumerate().filter_map(|(i, name)| Some((name, self.ctx.view_arg(i)?.to_string())));
                Value::from(Serde(values.collect::<BTreeMap<_, _>>()))
            }
            _ => return None,
        })
    }
}

/// A multi-dict in a template: `args.page`, `args["page"]`, `args.get("page", "1")`, `args.getlist("tag")`.
#[derive(Debug)]
enum Pairs {
    Args(Request),
    Form(Request),
    Own(MultiDict),
}

impl Pairs {
    fn dict(&self) -> &MultiDict {
        static NONE: LazyLock<MultiDict> = LazyLock::new(MultiDict::default);
        match self {
            Pairs::Args(request) => request.args(),
            Pairs::Form(request) => request.form().map_or(&NONE, |form| &form.fields),
            Pairs::Own(pairs) => pairs,
        }
    }
}

impl Object for Pairs {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let value = self.dict().get(name).or_else(|| self.dict().get(&name.to_ascii_lowercase()))?;
        Some(value.into())
    }

    fn enumerate(self: &Arc<Self>) -> minijinja::value::Enumerator {
        let names = self.dict().keys().map(Value::from).collect();
        minijinja::value::Enumerator::Values(names)
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, TemplateError> {
        let name = args.first().and_then(Value::as_str).unwrap_or("");
        match method {
            "get" => {
                Ok(self.dict().get(name).map(Value::from).or_else(|| args.get(1).cloned()).unwrap_or(Value::from(())))
            }
            "getlist" => Ok(self.dict().getlist(name).into_iter().map(Value::from).collect()),
            "items" => Ok(self.dict().iter().map(|(n, v)| Value::from(vec![Value::from(n), Value::from(v)])).collect()),
            _ => Err(TemplateError::from(ErrorKind::UnknownMethod)),
        }
    }
}
