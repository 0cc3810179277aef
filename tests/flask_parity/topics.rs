//! The Dewar side of each topic.

use dewar::App;

macro_rules! topics {
    ($($name:ident $file:literal),* $(,)?) => {
        $(#[path = $file] mod $name;)*

        /// Each topic's Dewar side.
        pub(crate) const APPS: &[(&str, fn() -> App)] = &[$((stringify!($name), $name::app)),*];
    };
}

topics! {
    accept "topics/accept/dewar_app.rs",
    authorization "topics/authorization/dewar_app.rs",
    class_views "topics/class_views/dewar_app.rs",
    conditional_responses "topics/conditional_responses/dewar_app.rs",
    config "topics/config/dewar_app.rs",
    converters "topics/converters/dewar_app.rs",
    cookies "topics/cookies/dewar_app.rs",
    errors "topics/errors/dewar_app.rs",
    files "topics/files/dewar_app.rs",
    flashes "topics/flashes/dewar_app.rs",
    forms "topics/forms/dewar_app.rs",
    handlers "topics/handlers/dewar_app.rs",
    hooks "topics/hooks/dewar_app.rs",
    hostile "topics/hostile/dewar_app.rs",
    hosts "topics/hosts/dewar_app.rs",
    json "topics/json/dewar_app.rs",
    json_types "topics/json_types/dewar_app.rs",
    query "topics/query/dewar_app.rs",
    redirects "topics/redirects/dewar_app.rs",
    request "topics/request/dewar_app.rs",
    request_more "topics/request_more/dewar_app.rs",
    responses "topics/responses/dewar_app.rs",
    routing "topics/routing/dewar_app.rs",
    routing_options "topics/routing_options/dewar_app.rs",
    secure_filename "topics/secure_filename/dewar_app.rs",
    sessions "topics/sessions/dewar_app.rs",
    slashes "topics/slashes/dewar_app.rs",
    streaming "topics/streaming/dewar_app.rs",
    subdomains "topics/subdomains/dewar_app.rs",
    template_hooks "topics/template_hooks/dewar_app.rs",
    templates "topics/templates/dewar_app.rs",
    trusted_hosts "topics/trusted_hosts/dewar_app.rs",
    uploads "topics/uploads/dewar_app.rs",
    url_for "topics/url_for/dewar_app.rs",
    url_processors "topics/url_processors/dewar_app.rs",
    values "topics/values/dewar_app.rs",
}
