//! Templates, by minijinja, with Flask's names in them.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};

use minijinja::value::{Kwargs, Object, ObjectRepr, Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error as TemplateError, ErrorKind, Output, State};

use crate::config::Settings;
use crate::ctx::{Ctx, G, missing_folder};
use crate::error::{Error, Result};
use crate::json_provider::JsonProvider;
use crate::multidict::MultiDict;
use crate::request::Request;
use crate::response::escape_html;
use crate::routing::{UrlValue, ViewArg};

/// Templates while the app is set up.
pub(crate) struct TemplateSetup {
    pub(crate) env: Environment<'static>,
    pub(crate) folder: Option<(PathBuf, &'static Location<'static>)>,
    /// What the filter `tojson` prints by: known when the app is frozen, while a filter of the user's comes before.
    json: Arc<OnceLock<JsonProvider>>,
}

/// Templates of a frozen app.
pub(crate) struct Templates {
    env: Environment<'static>,
    /// Where they are looked for beside those in the program.
    folder: Option<PathBuf>,
}

impl Default for TemplateSetup {
    fn default() -> Self {
        let mut env = Environment::new();
        env.set_auto_escape_callback(auto_escape);
        env.set_formatter(write_value);
        // `text.split(',')`, `map.items()` and the like, as Jinja's templates write them.
        env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        for name in ["e", "escape"] {
            env.add_filter(name, |value: &Value| Value::from_safe_string(escaped(value)));
        }
        let json = Arc::<OnceLock<JsonProvider>>::default();
        let provider = json.clone();
        env.add_filter("tojson", move |value: &Value, indent: Option<Value>, args: Kwargs| match provider.get() {
            Some(provider) => to_json(provider, value, indent, &args),
            None => minijinja::filters::tojson(value, indent, args),
        });
        TemplateSetup { env, folder: None, json }
    }
}

/// Flask's rule: these endings are escaped, everything else is not.
fn auto_escape(name: &str) -> AutoEscape {
    let escaped = [".html", ".htm", ".xml", ".xhtml", ".svg"].iter().any(|ending| name.ends_with(ending));
    // A template given as text has no name of its own, and is always escaped.
    if escaped || name == STRING { AutoEscape::Html } else { AutoEscape::None }
}

/// Escapes as Flask does. minijinja's own way escapes `/` too, which makes every URL in a page hard to read.
fn write_value(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), TemplateError> {
    let plain = matches!(value.kind(), ValueKind::Undefined | ValueKind::None | ValueKind::Bool | ValueKind::Number);
    if plain || value.is_safe() || *state.auto_escape() != AutoEscape::Html {
        return minijinja::escape_formatter(out, state, value);
    }
    Ok(out.write_str(&escaped(value))?)
}

fn escaped(value: &Value) -> String {
    match value.as_str() {
        Some(text) if value.is_safe() => text.to_owned(),
        Some(text) => escape_html(text),
        None => escape_html(&value.to_string()),
    }
}

/// As Flask's filter: in one line, and safe in a page, in a script and in an attribute with single quotes.
fn to_json(
    provider: &JsonProvider,
    value: &Value,
    indent: Option<Value>,
    args: &Kwargs,
) -> Result<Value, TemplateError> {
    let indent = indent.map_or_else(|| args.get::<Option<Value>>("indent"), |indent| Ok(Some(indent)))?;
    args.assert_all_used()?;
    let indent = indent.filter(|indent| !indent.is_none()).map(usize::try_from).transpose()?;
    // A page that is all indentation is nobody's wish.
    let text = match indent.map(|indent| indent.min(100)) {
        Some(indent) => provider.dumps_indented(value, indent),
        None => provider.dumps(value),
    };
    let text = text.map_err(|error| TemplateError::new(ErrorKind::InvalidOperation, format!("tojson: {error}")))?;
    let safe = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(Value::from_safe_string(safe))
}

/// The name of a template given as text.
const STRING: &str = "<string>";

impl TemplateSetup {
    pub(crate) fn freeze(
        mut self,
        root: &Path,
        settings: &Settings,
        json: Option<&JsonProvider>,
    ) -> Result<Templates, (String, &'static Location<'static>)> {
        if let Some(provider) = json {
            let _ = self.json.set(provider.clone());
        }
        let folder = match self.folder {
            Some((path, at)) => {
                let folder = root.join(path);
                if !folder.is_dir() {
                    return Err((missing_folder("template", &folder, root), at));
                }
                Some(folder)
            }
            None => Some(root.join("templates")).filter(|folder| folder.is_dir()),
        };
        if let Some(folder) = folder.clone() {
            self.env.set_loader(minijinja::path_loader(folder));
        }
        self.env.set_debug(settings.debug);
        self.env.set_auto_reload(settings.templates_auto_reload.unwrap_or(settings.debug));
        Ok(Templates { env: self.env, folder })
    }
}

pub(crate) fn render(ctx: &Arc<Ctx>, name: &str, values: Value) -> Result<String> {
    let templates = templates(ctx)?;
    let template = templates.env.get_template(name).map_err(|error| {
        if error.kind() != ErrorKind::TemplateNotFound || error.name().is_some_and(|missing| missing != name) {
            return Error::from(error);
        }
        Error::msg(match &templates.folder {
            Some(folder) => {
                format!("there is no template `{name}` in {}, nor was it added to the app", folder.display())
            }
            None => format!(
                "there is no template `{name}`: {} is not there, so only those added by `app.template(…)` are; \
                 `app.root_path(…)` or `app.template_folder(…)` name another place",
                ctx.site().root_path().join("templates").display()
            ),
        })
    })?;
    Ok(template.render(root(ctx, values))?)
}

pub(crate) fn render_string(ctx: &Arc<Ctx>, source: &str, values: Value) -> Result<String> {
    Ok(templates(ctx)?.env.render_named_str(STRING, source, root(ctx, values))?)
}

fn templates(ctx: &Arc<Ctx>) -> Result<Arc<Templates>> {
    ctx.site().parts().get().ok_or_else(|| Error::msg("the app was frozen without templates"))
}

fn root(ctx: &Arc<Ctx>, values: Value) -> Value {
    Value::from_object(Root { ctx: ctx.clone(), values, request: OnceLock::new() })
}

/// The names that a template sees: the values given to it, then the framework's.
#[derive(Debug)]
struct Root {
    ctx: Arc<Ctx>,
    values: Value,
    /// Made once for a page: it keeps what it has made.
    request: OnceLock<Value>,
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Ok(value) = self.values.get_item(key)
            && !value.is_undefined()
        {
            return Some(value);
        }
        match key.as_str()? {
            "request" => {
                let ctx = self.ctx.clone();
                let made = || RequestObject { ctx, headers: OnceLock::new(), cookies: OnceLock::new() };
                Some(self.request.get_or_init(|| Value::from_object(made())).clone())
            }
            "g" => Some(Value::from_object(GObject(self.ctx.g()))),
            "config" => Some(Value::from(Serde(self.ctx.site().config().iter().collect::<BTreeMap<_, _>>()))),
            #[cfg(feature = "sessions")]
            "session" => Some(crate::session::in_templates::object(&self.ctx)),
            #[cfg(feature = "sessions")]
            "get_flashed_messages" => Some(crate::session::in_templates::flashed_messages(&self.ctx)),
            "url_for" => {
                let ctx = self.ctx.clone();
                Some(Value::from_function(move |endpoint: &str, values: Kwargs| url_for(&ctx, endpoint, &values)))
            }
            _ => None,
        }
    }
}

fn url_for(ctx: &Ctx, endpoint: &str, values: &Kwargs) -> Result<String, TemplateError> {
    let mut named: Vec<(&str, UrlValue)> = Vec::new();
    for name in values.args() {
        named.push((name, url_value(&values.get::<Value>(name)?)));
    }
    ctx.url_for(endpoint, &named).map_err(|error| TemplateError::new(ErrorKind::InvalidOperation, error.to_string()))
}

fn url_value(value: &Value) -> UrlValue {
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => UrlValue::None,
        ValueKind::Seq | ValueKind::Iterable => match value.try_iter() {
            Ok(items) => UrlValue::Many(items.map(|item| view_arg(&item)).collect()),
            Err(_) => UrlValue::One(view_arg(value)),
        },
        _ => UrlValue::One(view_arg(value)),
    }
}

fn view_arg(value: &Value) -> ViewArg {
    if value.is_integer() {
        if let Ok(n) = i64::try_from(value.clone()) {
            return n.into();
        }
    } else if value.is_number()
        && let Ok(x) = f64::try_from(value.clone())
    {
        return x.into();
    }
    value.to_string().into()
}

/// `request` in a template.
struct RequestObject {
    ctx: Arc<Ctx>,
    /// Made once: a loop over `request.headers` that asks `request.headers` for each of them must not make them anew.
    headers: OnceLock<Value>,
    cookies: OnceLock<Value>,
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
                Err(_) => request.path().into(),
            },
            "full_path" => request.full_path().into(),
            "query_string" => request.query_string().into(),
            "url" => request.url().into(),
            "host" => request.host().into(),
            "host_url" => request.host_url().into(),
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
            "get" => Ok(self.dict().get(name).map(Value::from).or_else(|| args.get(1).cloned()).unwrap_or_default()),
            "getlist" => Ok(self.dict().getlist(name).into_iter().map(Value::from).collect()),
            "items" => Ok(self.dict().iter().map(|(n, v)| Value::from(vec![Value::from(n), Value::from(v)])).collect()),
            _ => Err(TemplateError::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// `g` in a template: what is text, a number, a truth value, JSON or a template value, and what was set to be shown.
/// Anything else is an error that says so: as undefined, `{% if g.user %}` would just be false.
#[derive(Debug)]
struct GObject(G);

impl Object for GObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        macro_rules! first_of {
            ($($t:ty),*) => { $( if let Some(value) = self.0.get::<$t>(name) { return Some(Value::from(value)); } )* };
        }
        first_of!(String, &'static str, bool, i32, i64, u32, u64, usize, f64, Value);
        if let Some(value) = self.0.get::<serde_json::Value>(name) {
            return Some(Value::from(Serde(value)));
        }
        Some(match self.0.shown(name)? {
            Ok(value) => Value::from(Serde(value)),
            Err(why) => Value::from(TemplateError::new(ErrorKind::InvalidOperation, why)),
        })
    }
}

/// The values for a template, by name: `context! { post, title => "Hello", n => posts.len() }`. Each is anything that
/// serde can serialize, or a minijinja value.
///
/// ```
/// use dewar::context;
///
/// #[derive(serde::Serialize)]
/// struct Post { title: &'static str }
///
/// let post = Post { title: "Hello" };
/// let values = context! { post, page => 2 };
/// assert_eq!(values.get_attr("post").unwrap().get_attr("title").unwrap().as_str(), Some("Hello"));
/// ```
#[macro_export]
macro_rules! context {
    ($($name:ident $(=> $value:expr)?),* $(,)?) => {
        $crate::minijinja::Value::from(::std::collections::BTreeMap::<&str, $crate::minijinja::Value>::from([
            $((::core::stringify!($name), $crate::context!(@ $name $(=> $value)?))),*
        ]))
    };
    (@ $name:ident) => { $crate::context!(@ $name => $name) };
    (@ $name:ident => $value:expr) => {
        $crate::minijinja::Value::from($crate::minijinja::value::Serde(&$value))
    };
}
