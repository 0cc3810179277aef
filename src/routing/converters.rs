//! The registry of converters by name.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    conv::{Conv, Custom},
    custom::Converter,
    error::RuleError,
    grammar::ConverterArgs,
};

/// The converters that rules may name: `string` (also `default`), `int`, `float`, `path`, `any`,
/// `uuid`, and what is registered.
///
/// | converter | arguments | fits | value |
/// | --- | --- | --- | --- |
/// | `string` | `minlength=1, maxlength, length`, in characters | a piece of one segment | text |
/// | `int` | `fixed_digits, min, max, signed=False` | digits, of any script | `i64` |
/// | `float` | `min, max, signed=False` | digits, a point, digits (`1` alone does not) | `f64` |
/// | `path` | | text that may contain slashes, not as the first character | text |
/// | `any` | the words that it may be | one of them | text |
/// | `uuid` | | 8-4-4-4-12 hexadecimal digits | `Uuid` |
///
/// A number outside of `min`, `max` or `fixed_digits`, or beyond what `i64` and `f64` hold, ends the
/// request in 404: other rules are not tried.
pub struct Converters {
    makers: BTreeMap<String, Maker>,
}

/// Takes the rule's text, for errors.
type BuiltIn = fn(&str, &ConverterArgs) -> Result<Conv, RuleError>;

enum Maker {
    BuiltIn(BuiltIn),
    Custom(Box<Make>),
}

type Make = dyn Fn(&ConverterArgs) -> Result<Arc<dyn Converter>, String> + Send + Sync;

impl Converters {
    /// Adds a converter that takes no arguments. A name that is taken is taken over, `default` too.
    pub fn register(&mut self, name: impl Into<String>, converter: impl Converter + 'static) {
        let converter: Arc<dyn Converter> = Arc::new(converter);
        self.insert(name.into(), move |args| match args.is_empty() {
            true => Ok(Arc::clone(&converter)),
            false => Err("this converter takes no arguments".to_owned()),
        });
    }

    /// Adds a converter that is made from the arguments that the rule gives it, or says what is
    /// wrong with them.
    ///
    /// ```
    /// use dewar::routing::{Converter, Converters, Rule};
    ///
    /// struct Hex { digits: usize }
    /// impl Converter for Hex {
    ///     fn matches(&self, text: &str) -> bool {
    ///         text.len() == self.digits && text.bytes().all(|b| b.is_ascii_hexdigit())
    ///     }
    /// }
    ///
    /// let mut converters = Converters::default();
    /// converters.register_with("hex", |args| {
    ///     let digits = args.named("digits").ok_or("say how many: <hex(digits=8):name>")?;
    ///     let digits = digits.parse().map_err(|_| "`digits` is a number")?;
    ///     Ok(Hex { digits })
    /// });
    /// assert!(Rule::parse("/commit/<hex(digits=40):id>", &converters).is_ok());
    /// assert!(Rule::parse("/commit/<hex:id>", &converters).is_err());
    /// ```
    pub fn register_with<C, F>(&mut self, name: impl Into<String>, make: F)
    where
        C: Converter + 'static,
        F: Fn(&ConverterArgs) -> Result<C, String> + Send + Sync + 'static,
    {
        self.insert(name.into(), move |args| Ok(Arc::new(make(args)?) as Arc<dyn Converter>));
    }

    /// The names of all converters, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.makers.keys().map(String::as_str)
    }

    fn insert<F>(&mut self, name: String, make: F)
    where
        F: Fn(&ConverterArgs) -> Result<Arc<dyn Converter>, String> + Send + Sync + 'static,
    {
        self.makers.insert(name, Maker::Custom(Box::new(make)));
    }

    /// The converter of this name with these arguments, for a variable of `rule`; `None` if there is
    /// no such name.
    pub(super) fn make(&self, rule: &str, name: &str, args: &ConverterArgs) -> Option<Result<Conv, RuleError>> {
        Some(match self.makers.get(name)? {
            Maker::BuiltIn(make) => make(rule, args),
            Maker::Custom(make) => match make(args) {
                Ok(converter) => Ok(Conv::Custom(Arc::new(Custom {
                    name: name.to_owned(),
                    arguments: rule[args.place.clone()].to_owned(),
                    converter,
                }))),
                Err(message) => Err(RuleError::new(rule, args.place.clone(), message)),
            },
        })
    }
}

impl Default for Converters {
    fn default() -> Converters {
        let built_in: [(&str, BuiltIn); 7] = [
            ("any", Conv::any),
            ("default", Conv::string),
            ("float", Conv::float),
            ("int", Conv::int),
            ("path", Conv::path),
            ("string", Conv::string),
            ("uuid", Conv::uuid),
        ];
        let makers = built_in.map(|(name, make)| (name.to_owned(), Maker::BuiltIn(make)));
        Converters { makers: makers.into() }
    }
}

impl fmt::Debug for Converters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.makers.keys()).finish()
    }
}
