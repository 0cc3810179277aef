//! View arguments by position: the types that a rule's variables can become.

use std::any::type_name;
use std::path::PathBuf;

use uuid::Uuid;

use super::{Arg, Call, Need, Shape};
use crate::ctx::not_found;
use crate::error::{Error, Result};
use crate::routing::{ArgRef, Kind};

macro_rules! view_arg {
    ($($t:ty: $kinds:pat, $arg:ident => $value:expr;)*) => { $(
        impl Arg for $t {
            fn describe(shape: &mut Shape) {
                shape.positional.push(Need { type_name: type_name::<$t>(), fits: |kind| matches!(kind, $kinds) });
            }

            fn take(call: &mut Call<'_>) -> Result<Self> {
                let i = call.next;
                call.next += 1;
                let $arg = call.ctx.view_arg(i).ok_or_else(|| unchecked(i, type_name::<$t>()))?;
                $value.ok_or_else(|| unchecked(i, type_name::<$t>()))
            }
        }
    )* };
}

view_arg! {
    String: Kind::String | Kind::Path | Kind::Any | Kind::Custom, arg => text(arg).map(str::to_owned);
    PathBuf: Kind::Path, arg => text(arg).map(PathBuf::from);
    Uuid: Kind::Uuid, arg => match arg { ArgRef::Uuid(uuid) => Some(uuid), _ => None };
    f64: Kind::Float, arg => float(arg);
    f32: Kind::Float, arg => float(arg).map(|x| x as f32);
}

macro_rules! integer {
    ($($t:ty),*) => { view_arg! { $(
        // What the type cannot hold, the URL does not name: 404, as for any text that is no number.
        $t: Kind::Int, arg => match arg { ArgRef::Int(n) => Some(<$t>::try_from(n).map_err(|_| not_found())?), _ => None };
    )* } };
}
integer!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

fn text(arg: ArgRef<'_>) -> Option<&str> {
    match arg {
        ArgRef::Str(text) => Some(text),
        _ => None,
    }
}

fn float(arg: ArgRef<'_>) -> Option<f64> {
    match arg {
        ArgRef::Float(x) => Some(x),
        _ => None,
    }
}

/// Freezing checks arguments against rules, so this is an error of the framework: said, rather than a panic.
fn unchecked(i: usize, wanted: &str) -> Error {
    Error::msg(format!("view argument {i} is not a {wanted}"))
}
