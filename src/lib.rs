//! Dewar.
#![deny(missing_docs)]

mod app;
mod body;
pub mod bridge;
#[cfg(feature = "static_files")]
mod conditional;
mod config;
mod cookie;
mod ctx;
mod error;
mod extract;
mod form;
mod globals;
mod json;
mod multidict;
#[cfg(feature = "multipart")]
mod multipart;
mod request;
mod respond;
mod response;
pub mod routing;
mod service;
#[cfg(feature = "static_files")]
mod static_files;
#[cfg(feature = "templates")]
mod templates;
mod testing;

#[doc(hidden)]
pub use app::check as __check;
pub use app::{
    AfterHook, App, AppService, BeforeHook, Blocking, Blueprint, Bridged, Caught, ErrorHandler, Handler, HookAnswer,
    Panicked, Registration, RouteMut, Scaffold, SetupErrors, TeardownHook,
};
pub use body::{Body, BodyTooLarge};
pub use config::Config;
pub use cookie::{Cookie, SameSite, parse_cookies};
pub use ctx::{Ctx, G, Site, TypeMap};
pub use error::{AbortWith, Error, HttpError, Or500, OrAbort, Result, abort};
pub use extract::{Arg, Call, Cookies, Form, FromRequest, Path, Query, Shape, State};
pub use form::{FormData, FormLimits, Upload};
pub use globals::{after_this_request, current_app, current_context, g, has_request_context, request, url_for};
#[cfg(feature = "templates")]
pub use globals::{render, render_template_string};
#[cfg(feature = "static_files")]
pub use globals::{send_file, send_file_with, send_from_directory};
pub use json::{Json, jsonify};
pub use multidict::MultiDict;
pub use request::Request;
pub use respond::{IntoHeaders, IntoResponse, Redirect, redirect};
pub use response::{IntoStatus, Response, escape_html};
pub use service::Service;
#[cfg(feature = "static_files")]
pub use static_files::SendFile;
pub use testing::{RequestBuilder, TestClient, TestResponse};

pub use http;
#[cfg(feature = "templates")]
pub use minijinja;
