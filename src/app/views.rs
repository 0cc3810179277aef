//! Class-based views: a type with a method for each verb.

use std::any::TypeId;
use std::panic::Location;
use std::sync::Arc;

use http::Method;

use super::route::ViewDef;
use super::scaffold::{RouteMut, Scaffold};
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::extract::{Arg, Call, Shape};
use crate::response::Response;

/// The arguments of a class-based view: a tuple of view arguments and extractors, as a [`Handler`](crate::Handler) has
/// them.
pub trait ViewArgs: Sized {
    /// What they ask for.
    fn shape() -> Shape;

    /// Takes them.
    ///
    /// # Errors
    /// What the client is answered instead of the view's answer.
    fn take(ctx: &Arc<Ctx>) -> Result<Self>;
}

macro_rules! view_args {
    ($($a:ident)*) => {
        impl<$($a: Arg),*> ViewArgs for ($($a,)*) {
            fn shape() -> Shape {
                #[allow(unused_mut, reason = "there may be no arguments")]
                let mut shape = Shape::default();
                $($a::describe(&mut shape);)*
                shape
            }

            #[allow(non_snake_case, unused, clippy::unused_unit, reason = "arguments are named as their types; there may be none")]
            fn take(ctx: &Arc<Ctx>) -> Result<Self> {
                let mut call = Call::new(ctx);
                $(let $a = $a::take(&mut call)?;)*
                Ok(($($a,)*))
            }
        }
    };
}

view_args!();
view_args!(A);
view_args!(A B);
view_args!(A B C);
view_args!(A B C D);
view_args!(A B C D E);
view_args!(A B C D E F);

/// A view that is a value with a method (Flask's `View`): for views that are made several times, of different
/// parts. Registered by [`Scaffold::add_view`].
///
/// One value answers all requests, on all threads (Flask's `init_every_request = False`): what belongs to a request is
/// in its arguments and in [`g`](crate::g()).
///
/// ```
/// use dewar::{App, IntoResponse, Response, Result, View};
///
/// struct Page { title: &'static str }
///
/// impl View for Page {
///     type Args = ();
///
///     fn dispatch_request(&self, (): ()) -> Result<Response> {
///         self.title.into_response()
///     }
/// }
///
/// let mut app = App::new("site");
/// app.add_view("/about", "about", Page { title: "About us" });
/// app.add_view("/terms", "terms", Page { title: "Terms" });
/// assert_eq!(app.test_client().get("/terms").text(), "Terms");
/// ```
pub trait View: Send + Sync + 'static {
    /// Its view arguments and extractors: `(i64,)`, `(String, State<Db>)`, `()`.
    type Args: ViewArgs;

    /// The methods that it answers. With GET goes HEAD.
    const METHODS: &'static [&'static str] = &["GET"];

    /// Answers a request.
    ///
    /// # Errors
    /// As a view function's.
    fn dispatch_request(&self, args: Self::Args) -> Result<Response>;
}

/// A view with a method for each verb (Flask's `MethodView`), for resources that are read, changed and deleted under one
/// rule. Registered by [`Scaffold::add_view`].
///
/// Python can see which methods a class has; here [`METHODS`](MethodView::METHODS) says so. The arguments are the same
/// for all verbs: what only one of them wants, such as a body, it takes from [`request`](crate::request()).
///
/// ```
/// use dewar::{App, IntoResponse, MethodView, Response, Result, abort, jsonify, request};
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// struct Items(Mutex<BTreeMap<i64, String>>);
///
/// impl MethodView for Items {
///     type Args = (i64,);
///     const METHODS: &'static [&'static str] = &["GET", "PUT"];
///
///     fn get(&self, (id,): (i64,)) -> Result<Response> {
///         let items = self.0.lock().unwrap();
///         let Some(item) = items.get(&id) else { abort!(404) };
///         jsonify(item)
///     }
///
///     fn put(&self, (id,): (i64,)) -> Result<Response> {
///         self.0.lock().unwrap().insert(id, request().json()?);
///         ("", 204).into_response()
///     }
/// }
///
/// let mut app = App::new("shop");
/// app.add_view("/items/<int:id>", "item", Items(Mutex::default()));
/// let client = app.test_client();
/// assert_eq!(client.put("/items/7").json("a book").send().status(), 204);
/// assert_eq!(client.get("/items/7").json::<String>(), "a book");
/// assert_eq!(client.delete("/items/7").status(), 405);
/// ```
pub trait MethodView: Send + Sync + 'static {
    /// Its view arguments and extractors, the same for every verb.
    type Args: ViewArgs;

    /// The verbs that it has a method for: others are answered with 405.
    const METHODS: &'static [&'static str];

    /// Answers GET.
    ///
    /// # Errors
    /// As a view function's; so it is for all verbs.
    fn get(&self, _args: Self::Args) -> Result<Response> {
        missing::<Self>("GET")
    }

    /// Answers HEAD: as GET, whose body is not sent, unless said otherwise.
    ///
    /// # Errors
    /// As a view function's.
    fn head(&self, args: Self::Args) -> Result<Response> {
        self.get(args)
    }

    /// Answers POST.
    ///
    /// # Errors
    /// As a view function's.
    fn post(&self, _args: Self::Args) -> Result<Response> {
        missing::<Self>("POST")
    }

    /// Answers PUT.
    ///
    /// # Errors
    /// As a view function's.
    fn put(&self, _args: Self::Args) -> Result<Response> {
        missing::<Self>("PUT")
    }

    /// Answers PATCH.
    ///
    /// # Errors
    /// As a view function's.
    fn patch(&self, _args: Self::Args) -> Result<Response> {
        missing::<Self>("PATCH")
    }

    /// Answers DELETE.
    ///
    /// # Errors
    /// As a view function's.
    fn delete(&self, _args: Self::Args) -> Result<Response> {
        missing::<Self>("DELETE")
    }

    /// Answers OPTIONS, where [`METHODS`](MethodView::METHODS) has it; otherwise the framework does.
    ///
    /// # Errors
    /// As a view function's.
    fn options(&self, _args: Self::Args) -> Result<Response> {
        missing::<Self>("OPTIONS")
    }

    /// Answers TRACE.
    ///
    /// # Errors
    /// As a view function's.
    fn trace(&self, _args: Self::Args) -> Result<Response> {
        missing::<Self>("TRACE")
    }
}

fn missing<V: ?Sized>(verb: &str) -> Result<Response> {
    let view = std::any::type_name::<V>();
    let method = verb.to_ascii_lowercase();
    Err(Error::msg(format!(
        "`{view}::METHODS` has {verb}, but `{view}` has no method `{method}`: write it, or take it out"
    )))
}

impl<V: MethodView> View for V {
    type Args = (Arc<Ctx>, Verbs<V::Args>);

    const METHODS: &'static [&'static str] = V::METHODS;

    fn dispatch_request(&self, (ctx, Verbs(args)): Self::Args) -> Result<Response> {
        match *ctx.request().method() {
            Method::GET => self.get(args),
            Method::HEAD => self.head(args),
            Method::POST => self.post(args),
            Method::PUT => self.put(args),
            Method::PATCH => self.patch(args),
            Method::DELETE => self.delete(args),
            Method::OPTIONS => self.options(args),
            Method::TRACE => self.trace(args),
            ref other => missing::<V>(other.as_str()),
        }
    }
}

/// The arguments of a [`MethodView`]'s methods.
#[doc(hidden)]
#[derive(Debug)]
pub struct Verbs<A>(A);

impl<A: ViewArgs> Arg for Verbs<A> {
    fn describe(shape: &mut Shape) {
        shape.add(A::shape());
    }

    fn take(call: &mut Call<'_>) -> Result<Self> {
        A::take(call.ctx()).map(Verbs)
    }
}

impl Scaffold {
    /// Answers a rule with a class-based view: a [`View`] or a [`MethodView`]; it answers the methods that it names
    /// (Flask: `app.add_url_rule(rule, view_func=MyView.as_view(endpoint))`).
    ///
    /// ```
    /// # use dewar::{App, IntoResponse, Next, Response, Result, View};
    /// # struct Page;
    /// # impl View for Page {
    /// #     type Args = ();
    /// #     fn dispatch_request(&self, (): ()) -> Result<Response> { "page".into_response() }
    /// # }
    /// fn logged(next: Next<'_>) -> Result<Response> {
    ///     println!("{:?}", next.context());
    ///     next.run()
    /// }
    ///
    /// let mut app = App::new("site");
    /// app.add_view("/", "index", Page).decorate(logged); // Flask's `decorators = [logged]`
    /// assert_eq!(app.test_client().get("/").text(), "page");
    /// ```
    #[track_caller]
    pub fn add_view<V: View>(&mut self, rule: &str, endpoint: &str, view: V) -> RouteMut<'_> {
        let run = move |ctx: &Arc<Ctx>| view.dispatch_request(V::Args::take(ctx)?);
        let at = Location::caller();
        let name = std::any::type_name::<V>();
        let view = ViewDef { run: Arc::new(run), shape: V::Args::shape(), id: TypeId::of::<V>(), name, at };
        self.add_route(rule, Some(endpoint.to_owned()), view).methods(V::METHODS.iter().copied())
    }
}
