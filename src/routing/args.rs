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
    slots: Slots,
    variables: u8,
    defaults: Option<Arc<Defaults>>,
}

/// A rule's defaults, those for names that are not variables last and from `extra_from` on.
#[derive(Debug)]
pub(super) struct Defaults {
    pub(super) values: Vec<(String, ViewArg)>,
    pub(super) extra_from: usize,
}

#[derive(Clone, Debug)]
enum Slots {
    Inline([Slot; INLINE]),
    Heap(Box<[Slot]>),
}

const INLINE: usize = 4;

/// Where the value of one variable is.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    Text(u32, u32),
    Int(i64),
    Float(f64),
    Uuid(Uuid),
    Owned(Box<ViewArg>),
    /// The rule's default of that index.
    Default(u32),
}

impl Args {
    /// `make` gives the slot of each variable; `None` if one of them refuses its text.
    pub(super) fn collect(
        variables: usize,
        defaults: Option<Arc<Defaults>>,
        mut make: impl FnMut(usize) -> Option<Slot>,
    ) -> Option<Args> {
        let slots = if variables <= INLINE {
            let mut inline = [const { Slot::Text(0, 0) }; INLINE];
            for (i, slot) in inline.iter_mut().enumerate().take(variables) {
                *slot = make(i)?;
            }
            Slots::Inline(inline)
        } else {
            Slots::Heap((0..variables).map(make).collect::<Option<_>>()?)
        };
        Some(Args { slots, variables: u8::try_from(variables).ok()?, defaults })
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
        let slot = match &self.slots {
            Slots::Inline(slots) => slots.get(i)?,
            Slots::Heap(slots) => slots.get(i)?,
        };
        Some(match slot {
            Slot::Text(start, end) => ArgRef::Str(path.get(*start as usize..*end as usize)?),
            Slot::Int(n) => ArgRef::Int(*n),
            Slot::Float(x) => ArgRef::Float(*x),
            Slot::Uuid(id) => ArgRef::Uuid(*id),
            Slot::Owned(value) => value.as_arg(),
            Slot::Default(i) => return default(*i as usize),
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
