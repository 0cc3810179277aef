//! The values that a match found in a path.

use std::{fmt, sync::Arc};

use uuid::Uuid;

/// One value of a view's arguments, owned: what a rule's `defaults` are made of, and what takes part
/// in building a URL.
///
/// ```
/// use dewar::routing::ViewArg;
///
/// assert_eq!(ViewArg::from(7), ViewArg::Int(7));
/// assert_eq!(ViewArg::from("ada").to_string(), "ada");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ViewArg {
    /// From `string`, `path`, `any`, and custom converters that keep the text.
    Str(String),
    /// From `int`.
    Int(i64),
    /// From `float`.
    Float(f64),
    /// From `uuid`.
    Uuid(Uuid),
}

impl ViewArg {
    /// The same value, borrowed.
    pub fn as_arg(&self) -> ArgRef<'_> {
        match self {
            ViewArg::Str(text) => ArgRef::Str(text),
            ViewArg::Int(n) => ArgRef::Int(*n),
            ViewArg::Float(x) => ArgRef::Float(*x),
            ViewArg::Uuid(id) => ArgRef::Uuid(*id),
        }
    }
}

impl fmt::Display for ViewArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_arg().fmt(f)
    }
}

/// One value of a view's arguments, borrowed from the path or from the rule.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ArgRef<'a> {
    /// From `string`, `path`, `any`, and custom converters that keep the text.
    Str(&'a str),
    /// From `int`.
    Int(i64),
    /// From `float`.
    Float(f64),
    /// From `uuid`.
    Uuid(Uuid),
}

impl ArgRef<'_> {
    /// The same value, owned.
    pub fn to_view_arg(self) -> ViewArg {
        match self {
            ArgRef::Str(text) => ViewArg::Str(text.to_owned()),
            ArgRef::Int(n) => ViewArg::Int(n),
            ArgRef::Float(x) => ViewArg::Float(x),
            ArgRef::Uuid(id) => ViewArg::Uuid(id),
        }
    }
}

impl fmt::Display for ArgRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgRef::Str(text) => f.write_str(text),
            ArgRef::Int(n) => n.fmt(f),
            // With a point always, as the `float` converter wants it.
            ArgRef::Float(x) if x.is_finite() && x.fract() == 0.0 => write!(f, "{x:.1}"),
            ArgRef::Float(x) => x.fmt(f),
            ArgRef::Uuid(id) => id.fmt(f),
        }
    }
}

/// The arguments of a match: the rule's variables in their order, then its `defaults` in theirs.
///
/// Text is kept as a range of the path that was matched, so up to four variables cost no allocation;
/// that is why the path is handed in again to read a value. A default for a name that is also a
/// variable of the rule takes that variable's place.
///
/// ```
/// use dewar::routing::{ArgRef, Converters, Found, Rule, RouterBuilder};
/// use http::Method;
///
/// let mut routes = RouterBuilder::new();
/// routes.add(Rule::parse("/post/<int:id>/<slug>", &Converters::default())?, "post");
/// let path = "/post/7/hello";
/// let Found::Match { args, .. } = routes.freeze().find(&Method::GET, path) else { panic!() };
/// assert_eq!(args.len(), 2);
/// assert_eq!(args.get(0, path), Some(ArgRef::Int(7)));
/// assert_eq!(args.get(1, path), Some(ArgRef::Str("hello")));
/// # Ok::<(), dewar::routing::RuleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Args {
    /// As small as they are, and plain data, because they are moved about for every request.
    slots: [Slot; INLINE],
    variables: u8,
    more: Option<Box<More>>,
    defaults: Option<Arc<Defaults>>,
}

const INLINE: usize = 4;

/// Of a UUID as text, hyphens included.
pub(super) const UUID_LENGTH: usize = 36;

/// Where the value of one variable is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// From there to there in the path.
    Text(u32, u32),
    Int(i64),
    Float(f64),
    /// From there on in the path.
    Uuid(u32),
    /// In `More::owned`, at that index.
    Owned(u32),
    /// The rule's default of that index.
    Default(u32),
}

/// What few requests need.
#[derive(Clone, Debug, Default)]
struct More {
    /// Of the variables after the first four.
    slots: Vec<Slot>,
    /// The values that custom converters have made.
    owned: Vec<ViewArg>,
}

/// A rule's defaults, those for names that are not variables last and from `extra_from` on.
#[derive(Debug)]
pub(super) struct Defaults {
    pub(super) values: Vec<(String, ViewArg)>,
    pub(super) extra_from: usize,
}

impl Args {
    pub(super) fn new(defaults: Option<Arc<Defaults>>) -> Args {
        Args { slots: [Slot::Int(0); INLINE], variables: 0, more: None, defaults }
    }

    /// Adds the value of the next variable.
    #[inline]
    pub(super) fn push(&mut self, slot: Slot) {
        match self.slots.get_mut(usize::from(self.variables)) {
            Some(free) => *free = slot,
            None => self.more.get_or_insert_default().slots.push(slot),
        }
        self.variables += 1;
    }

    /// Adds a value that is not in the path.
    pub(super) fn push_owned(&mut self, value: ViewArg) {
        let owned = &mut self.more.get_or_insert_default().owned;
        owned.push(value);
        let index = owned.len() as u32 - 1;
        self.push(Slot::Owned(index));
    }

    /// Puts a default in the place of the last variable.
    pub(super) fn replace_last(&mut self, default: u32) {
        let last = usize::from(self.variables) - 1;
        let more = self.more.as_deref_mut();
        let slot = match self.slots.get_mut(last) {
            Some(slot) => Some(slot),
            None => more.and_then(|more| more.slots.last_mut()),
        };
        if let Some(slot) = slot {
            *slot = Slot::Default(default);
        }
    }

    /// How many arguments there are.
    pub fn len(&self) -> usize {
        let extra = |d: &Arc<Defaults>| d.values.len() - d.extra_from;
        usize::from(self.variables) + self.defaults.as_ref().map_or(0, extra)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The argument at this place; `path` is the one that was given to
    /// [`Router::find`](super::Router::find).
    ///
    /// `None` if there are not so many.
    pub fn get<'a>(&'a self, i: usize, path: &'a str) -> Option<ArgRef<'a>> {
        let defaults = self.defaults.as_deref();
        let default = |i: usize| Some(defaults?.values.get(i)?.1.as_arg());
        let variables = usize::from(self.variables);
        if i >= variables {
            return default(defaults?.extra_from + (i - variables));
        }
        let more = self.more.as_deref();
        let slot = match self.slots.get(i) {
            Some(slot) => slot,
            None => more?.slots.get(i - INLINE)?,
        };
        Some(match *slot {
            Slot::Text(start, end) => ArgRef::Str(path.get(start as usize..end as usize)?),
            Slot::Int(n) => ArgRef::Int(n),
            Slot::Float(x) => ArgRef::Float(x),
            Slot::Uuid(start) => {
                let start = start as usize;
                let text = path.get(start..start + UUID_LENGTH)?;
                ArgRef::Uuid(Uuid::try_parse(text).ok()?)
            }
            Slot::Owned(i) => more?.owned.get(i as usize)?.as_arg(),
            Slot::Default(i) => return default(i as usize),
        })
    }

    /// All arguments in order; `path` as for [`get`](Args::get).
    pub fn iter<'a>(&'a self, path: &'a str) -> impl Iterator<Item = ArgRef<'a>> {
        (0..self.len()).map_while(move |i| self.get(i, path))
    }
}

impl From<&str> for ViewArg {
    fn from(text: &str) -> ViewArg {
        ViewArg::Str(text.to_owned())
    }
}

impl From<String> for ViewArg {
    fn from(text: String) -> ViewArg {
        ViewArg::Str(text)
    }
}

impl From<&String> for ViewArg {
    fn from(text: &String) -> ViewArg {
        ViewArg::Str(text.clone())
    }
}

/// As text, `true` or `false`.
impl From<bool> for ViewArg {
    fn from(truth: bool) -> ViewArg {
        ViewArg::Str(truth.to_string())
    }
}

impl From<f64> for ViewArg {
    fn from(x: f64) -> ViewArg {
        ViewArg::Float(x)
    }
}

impl From<f32> for ViewArg {
    fn from(x: f32) -> ViewArg {
        ViewArg::Float(x.into())
    }
}

impl From<Uuid> for ViewArg {
    fn from(id: Uuid) -> ViewArg {
        ViewArg::Uuid(id)
    }
}

macro_rules! from_integers {
    ($($int:ty)*) => { $(
        impl From<$int> for ViewArg {
            /// What is beyond `i64` stays text: it can stand in a query, an `int` refuses it.
            fn from(n: $int) -> ViewArg {
                i64::try_from(n).map_or_else(|_| ViewArg::Str(n.to_string()), ViewArg::Int)
            }
        }
    )* };
}
from_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
