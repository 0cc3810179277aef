//! `check_handler!`: what rustc cannot say of a handler that does not fit, said argument by argument.
//!
//! [`Handler`](super::Handler) is one bound over a whole function, and an error says only that it does not hold. Here
//! the function is first taken apart, which asks nothing of its types; then each is asked for by itself.

use std::marker::PhantomData;

use crate::extract::Arg;
use crate::respond::IntoResponse;

/// Checks at compile time that a function is a [`Handler`](crate::Handler). Where it is not, the error names the
/// argument or the return type that does not fit.
///
/// ```
/// fn post(id: i64) -> dewar::Result<String> {
///     Ok(format!("post {id}"))
/// }
/// dewar::check_handler!(post);
///
/// async fn price(id: i64) -> dewar::Json<i64> {
///     dewar::Json(id)
/// }
/// dewar::check_handler!(price);
/// ```
///
/// ```compile_fail
/// fn post(id: &str) -> String { // an argument is owned: `String`
///     format!("post {id}")
/// }
/// dewar::check_handler!(post);
/// ```
#[macro_export]
macro_rules! check_handler {
    ($handler:path $(,)?) => {
        const _: fn() = || {
            use $crate::__check::{AnswersAtOnce as _, AnswersLater as _};
            let signature = $crate::__check::take_apart(&$handler);
            $crate::__check::arguments_fit(&signature);
            let answer = $crate::__check::answer(&signature);
            $crate::__check::answer_fits((&answer).answered());
        };
    };
}

/// A function of up to eight arguments; `M` is what it returns and takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function of 0 to 8 arguments",
    label = "not a handler",
    note = "a handler has at most eight arguments; take several view arguments together as `Path<YourStruct>`"
)]
pub trait Function<M> {}

/// What a function returns and takes.
#[derive(Debug)]
pub struct Signature<M>(PhantomData<M>);

/// What a function returns.
#[derive(Debug)]
pub struct Answer<R>(PhantomData<R>);

pub fn take_apart<M, F: Function<M>>(_: &F) -> Signature<M> {
    Signature(PhantomData)
}

/// The parts of a signature. Places that it has no argument for are filled with a type that is always one.
pub trait Parts {
    type Answer;
    type A;
    type B;
    type C;
    type D;
    type E;
    type G;
    type H;
    type I;
}

/// A bound of its own for each: rustc's error is then about the argument, in the words of [`Arg`].
pub fn arguments_fit<M: Parts>(_: &Signature<M>)
where
    M::A: Arg,
    M::B: Arg,
    M::C: Arg,
    M::D: Arg,
    M::E: Arg,
    M::G: Arg,
    M::H: Arg,
    M::I: Arg,
{
}

pub fn answer<M: Parts>(_: &Signature<M>) -> Answer<M::Answer> {
    Answer(PhantomData)
}

pub fn answer_fits<T: IntoResponse>(_: PhantomData<T>) {}

/// For an async function: what comes of the future. Found before [`AnswersAtOnce`], which needs one reference more.
pub trait AnswersLater {
    type Answered;

    fn answered(self) -> PhantomData<Self::Answered>;
}

impl<R: Future> AnswersLater for &Answer<R> {
    type Answered = R::Output;

    fn answered(self) -> PhantomData<R::Output> {
        PhantomData
    }
}

/// For all others.
pub trait AnswersAtOnce {
    type Answered;

    fn answered(self) -> PhantomData<Self::Answered>;
}

impl<R> AnswersAtOnce for &&Answer<R> {
    type Answered = R;

    fn answered(self) -> PhantomData<R> {
        PhantomData
    }
}

macro_rules! functions {
    ($($a:ident)*; $($rest:ident)*) => {
        impl<F: Fn($($a),*) -> R, R, $($a),*> Function<(R, $($a,)*)> for F {}

        impl<R, $($a),*> Parts for (R, $($a,)*) {
            type Answer = R;
            $(type $a = $a;)*
            $(type $rest = i64;)*
        }
    };
}

functions!(; A B C D E G H I);
functions!(A; B C D E G H I);
functions!(A B; C D E G H I);
functions!(A B C; D E G H I);
functions!(A B C D; E G H I);
functions!(A B C D E; G H I);
functions!(A B C D E G; H I);
functions!(A B C D E G H; I);
functions!(A B C D E G H I;);
