//! A converter in use by a rule: what it takes, what it gives, how it writes a URL.

use std::{borrow::Cow, fmt, sync::Arc};

use super::{
    args::{Args, Slot, UUID_LENGTH, ViewArg},
    custom::{Converter, Outcome},
    digits,
    error::RuleError,
    grammar::{ConverterArg, ConverterArgs},
};

/// What a variable gives to a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Text of one segment.
    String,
    /// An `i64`.
    Int,
    /// An `f64`.
    Float,
    /// Text that may contain slashes.
    Path,
    /// One of the words of the rule.
    Any,
    /// A [`Uuid`](uuid::Uuid).
    Uuid,
    /// What a custom converter gives, text unless it says otherwise.
    Custom,
}

#[derive(Clone, Debug)]
pub(super) enum Conv {
    String { min: usize, max: Option<usize> },
    Int(Int),
    Float(Float),
    Path,
    Any(Arc<[String]>),
    Uuid,
    Custom(Arc<Custom>),
}

#[derive(Clone, Debug)]
pub(super) struct Int {
    pub(super) signed: bool,
    fixed_digits: usize,
    min: i64,
    max: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Float {
    pub(super) signed: bool,
    min: f64,
    max: f64,
}

pub(super) struct Custom {
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) converter: Arc<dyn Converter>,
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.arguments)
    }
}

/// The built-in converters, from their arguments.
impl Conv {
    pub(super) fn string(rule: &str, args: &ConverterArgs) -> Result<Conv, RuleError> {
        let [minlength, maxlength, length] = pick(rule, args, ["minlength", "maxlength", "length"])?;
        let (minlength, maxlength, length): (Option<usize>, Option<usize>, Option<usize>) =
            (number(rule, minlength)?, number(rule, maxlength)?, number(rule, length)?);
        let (min, max) = match length {
            Some(length) => (length, Some(length)),
            None => (minlength.unwrap_or(1), maxlength),
        };
        match max {
            Some(max) if max < min => Err(RuleError::new(
                rule,
                args.place.clone(),
                format!("no text has at least {min} and at most {max} characters"),
            )),
            _ => Ok(Conv::String { min, max }),
        }
    }

    pub(super) fn int(rule: &str, args: &ConverterArgs) -> Result<Conv, RuleError> {
        let [fixed_digits, min, max, signed] = pick(rule, args, ["fixed_digits", "min", "max", "signed"])?;
        Ok(Conv::Int(Int {
            fixed_digits: number(rule, fixed_digits)?.unwrap_or(0),
            min: number(rule, min)?.unwrap_or(i64::MIN),
            max: number(rule, max)?.unwrap_or(i64::MAX),
            signed: truth(rule, signed)?,
        }))
    }

    pub(super) fn float(rule: &str, args: &ConverterArgs) -> Result<Conv, RuleError> {
        let [min, max, signed] = pick(rule, args, ["min", "max", "signed"])?;
        Ok(Conv::Float(Float {
            min: number(rule, min)?.unwrap_or(f64::MIN),
            max: number(rule, max)?.unwrap_or(f64::MAX),
            signed: truth(rule, signed)?,
        }))
    }

    pub(super) fn path(rule: &str, args: &ConverterArgs) -> Result<Conv, RuleError> {
        let [] = pick(rule, args, [])?;
        Ok(Conv::Path)
    }

    pub(super) fn uuid(rule: &str, args: &ConverterArgs) -> Result<Conv, RuleError> {
        let [] = pick(rule, args, [])?;
        Ok(Conv::Uuid)
    }

    pub(super) fn any(rule: &str, args: &ConverterArgs) -> Result<Conv, RuleError> {
        if let Some(named) = args.items.iter().find(|item| item.name.is_some()) {
            let what = "`any` takes words without names: `<any(about, help):page>`";
            return Err(RuleError::new(rule, named.place.clone(), what));
        }
        if args.is_empty() {
            let what = "`any` wants the words that it may be: `<any(about, help):page>`";
            return Err(RuleError::new(rule, args.place.clone(), what));
        }
        Ok(Conv::Any(args.positional().map(str::to_owned).collect()))
    }
}

impl Conv {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Conv::String { .. } => Kind::String,
            Conv::Int(_) => Kind::Int,
            Conv::Float(_) => Kind::Float,
            Conv::Path => Kind::Path,
            Conv::Any(_) => Kind::Any,
            Conv::Uuid => Kind::Uuid,
            Conv::Custom(_) => Kind::Custom,
        }
    }

    pub(super) fn weight(&self) -> i32 {
        match self {
            Conv::Int(_) | Conv::Float(_) => 50,
            Conv::Path => 200,
            Conv::Custom(custom) => custom.converter.weight(),
            Conv::String { .. } | Conv::Any(_) | Conv::Uuid => 100,
        }
    }

    pub(super) fn part_isolating(&self) -> bool {
        match self {
            Conv::Path => false,
            Conv::Custom(custom) => custom.converter.part_isolating(),
            _ => true,
        }
    }

    /// Whether both take the same texts, so that rules with either can share a branch of the tree.
    /// Bounds of numbers do not count: they are checked once a rule is chosen.
    pub(super) fn same_form(&self, other: &Conv) -> bool {
        match (self, other) {
            (Conv::String { min, max }, Conv::String { min: a, max: b }) => min == a && max == b,
            (Conv::Int(a), Conv::Int(b)) => a.signed == b.signed,
            (Conv::Float(a), Conv::Float(b)) => a.signed == b.signed,
            (Conv::Any(a), Conv::Any(b)) => a == b,
            (Conv::Path, Conv::Path) | (Conv::Uuid, Conv::Uuid) => true,
            (Conv::Custom(a), Conv::Custom(b)) => {
                Arc::ptr_eq(&a.converter, &b.converter) || (&a.name, &a.arguments) == (&b.name, &b.arguments)
            }
            _ => false,
        }
    }

    /// Whether a whole text has the form of a value.
    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Conv::String { min: 1, max: None } => !text.is_empty() && !text.contains('/'),
            Conv::String { min, max } => {
                let length = text.chars().count();
                length >= *min && max.is_none_or(|max| length <= max) && !text.contains('/')
            }
            Conv::Int(Int { signed, .. }) => digits::are_all(unsigned(text, *signed)),
            Conv::Float(Float { signed, .. }) => {
                let parts = unsigned(text, *signed).split_once('.');
                parts.is_some_and(|(whole, rest)| digits::are_all(whole) && digits::are_all(rest))
            }
            // Like Werkzeug's `.`, this takes no line break after the first character.
            Conv::Path => {
                let mut chars = text.chars();
                chars.next().is_some_and(|first| first != '/') && !chars.as_str().contains('\n')
            }
            Conv::Any(words) => words.iter().any(|word| word == text),
            Conv::Uuid => is_uuid(text.as_bytes()),
            Conv::Custom(custom) => !text.is_empty() && custom.converter.matches(text),
        }
    }

    /// Adds the value of a text that has the form; `None` if there is no such value.
    pub(super) fn push(&self, text: &str, (start, end): (u32, u32), args: &mut Args) -> Option<()> {
        let slot = match self {
            Conv::String { .. } | Conv::Path | Conv::Any(_) => Slot::Text(start, end),
            Conv::Int(int) => {
                // A sign counts too, as in Werkzeug.
                let fits = int.fixed_digits == 0 || text.chars().count() == int.fixed_digits;
                let n: i64 = digits::to_ascii(text).parse().ok()?;
                if !fits || n < int.min || n > int.max {
                    return None;
                }
                Slot::Int(n)
            }
            Conv::Float(float) => {
                let x: f64 = digits::to_ascii(text).parse().ok()?;
                if !(float.min..=float.max).contains(&x) {
                    return None;
                }
                Slot::Float(x)
            }
            Conv::Uuid => Slot::Uuid(start),
            Conv::Custom(custom) => match custom.converter.convert(text) {
                Outcome::Text => Slot::Text(start, end),
                Outcome::Value(value) => {
                    args.push_owned(value);
                    return Some(());
                }
                Outcome::Reject => return None,
            },
        };
        args.push(slot);
        Some(())
    }

    /// Whether an integer stands in a URL as it is.
    pub(super) fn is_plain_int(&self) -> bool {
        matches!(self, Conv::Int(Int { fixed_digits: 0, .. }))
    }

    /// A value as it stands in a URL, not yet percent-encoded, or why it cannot.
    pub(super) fn to_url<'a>(&self, value: &'a ViewArg) -> Result<Cow<'a, str>, String> {
        let text = match (self, value) {
            (Conv::String { .. } | Conv::Path | Conv::Uuid, ViewArg::Str(text)) => return Ok(Cow::Borrowed(text)),
            (Conv::String { .. } | Conv::Path | Conv::Uuid, value) => value.to_string(),
            (Conv::Int(int), value) => {
                let n = match value {
                    ViewArg::Int(n) => *n,
                    ViewArg::Str(text) => {
                        let parsed = text.trim().parse();
                        parsed.map_err(|_| format!("`{text}` is not an integer"))?
                    }
                    other => return Err(format!("`{other}` is not an integer")),
                };
                match int.fixed_digits {
                    0 => n.to_string(),
                    width => format!("{n:0width$}"),
                }
            }
            (Conv::Float(_), value) => {
                let x = match value {
                    ViewArg::Float(x) => *x,
                    ViewArg::Int(n) => *n as f64,
                    ViewArg::Str(text) => {
                        let parsed = text.trim().parse();
                        parsed.map_err(|_| format!("`{text}` is not a number"))?
                    }
                    ViewArg::Uuid(id) => return Err(format!("`{id}` is not a number")),
                };
                match x.is_finite() {
                    true => ViewArg::Float(x).to_string(),
                    false => return Err(format!("`{x}` cannot stand in a URL")),
                }
            }
            (Conv::Any(words), value) => {
                let text = value.to_string();
                match words.contains(&text) {
                    true => text,
                    false => return Err(format!("`{text}` is none of {}", words.join(", "))),
                }
            }
            (Conv::Custom(custom), value) => custom.converter.to_url(value)?,
        };
        Ok(Cow::Owned(text))
    }
}

fn unsigned(text: &str, signed: bool) -> &str {
    match signed {
        true => text.strip_prefix('-').unwrap_or(text),
        false => text,
    }
}

pub(super) fn is_uuid(text: &[u8]) -> bool {
    let fits = |(i, b): (usize, &u8)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    };
    text.len() == UUID_LENGTH && text.iter().enumerate().all(fits)
}

/// Sorts positional and named arguments into the places of `names`.
fn pick<'a, const N: usize>(
    rule: &str,
    args: &'a ConverterArgs,
    names: [&str; N],
) -> Result<[Option<&'a ConverterArg>; N], RuleError> {
    let mut picked = [None; N];
    let mut positional = 0;
    for item in &args.items {
        let error = |what: String| Err(RuleError::new(rule, item.place.clone(), what));
        let index = match &item.name {
            Some(name) => names.iter().position(|known| known == name),
            None => {
                positional += 1;
                Some(positional - 1)
            }
        };
        match index.and_then(|index| picked.get_mut(index)) {
            Some(Some(_)) => return error("this argument is given twice".to_owned()),
            Some(place) => *place = Some(item),
            None if N == 0 => return error("this converter takes no arguments".to_owned()),
            None if item.name.is_none() => {
                return error(format!("too many arguments; there are {}", names.join(", ")));
            }
            None => {
                return error(format!("no such argument; there are {}", names.join(", ")));
            }
        }
    }
    Ok(picked)
}

fn number<T: std::str::FromStr>(rule: &str, arg: Option<&ConverterArg>) -> Result<Option<T>, RuleError> {
    let Some(ConverterArg { value, place, .. }) = arg else {
        return Ok(None);
    };
    if value == "None" {
        return Ok(None);
    }
    let parsed = value.parse().map(Some);
    parsed.map_err(|_| {
        let what = format!("`{value}` is not a number that this argument can have");
        RuleError::new(rule, place.clone(), what)
    })
}

fn truth(rule: &str, arg: Option<&ConverterArg>) -> Result<bool, RuleError> {
    match arg.map(|arg| (arg.value.as_str(), &arg.place)) {
        None | Some(("False" | "false", _)) => Ok(false),
        Some(("True" | "true", _)) => Ok(true),
        Some((value, place)) => {
            Err(RuleError::new(rule, place.clone(), format!("`{value}` is neither `True` nor `False`")))
        }
    }
}
