//! What other sites may do with a response: CORS, and the policies of isolation.

use std::time::Duration;

use super::Response;

macro_rules! policies {
    ($($(#[$doc:meta])* $policy:ident, $header:literal, $get:ident, $set:ident {
        $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)*
    })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $policy {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $policy {
            /// As it stands in the header.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $($policy::$variant => $text,)*
                }
            }
        }

        impl Response {
            #[doc = concat!("The policy of the header `", $header, "`, where it is one that is known.")]
            pub fn $get(&self) -> Option<$policy> {
                let value = self.header($header)?;
                [$($policy::$variant),*].into_iter().find(|policy| policy.as_str() == value.trim())
            }

            #[doc = concat!("Sets the header `", $header, "`; `None` takes it away.")]
            pub fn $set(&mut self, policy: impl Into<Option<$policy>>) {
                match policy.into() {
                    Some(policy) => self.set_header($header, policy.as_str()),
                    None => _ = self.headers.remove($header),
                }
            }
        }
    )* };
}

policies! {
    /// Whether windows of other origins can reach this one (Werkzeug's `COOP`).
    CrossOriginOpenerPolicy, "cross-origin-opener-policy", cross_origin_opener_policy, set_cross_origin_opener_policy {
        /// They can.
        UnsafeNone => "unsafe-none",
        /// Only popups that have no policy of their own.
        SameOriginAllowPopups => "same-origin-allow-popups",
        /// They cannot.
        SameOrigin => "same-origin",
    }
    /// Whether what is embedded must say that it may be (Werkzeug's `COEP`).
    CrossOriginEmbedderPolicy, "cross-origin-embedder-policy", cross_origin_embedder_policy, set_cross_origin_embedder_policy {
        /// It need not.
        UnsafeNone => "unsafe-none",
        /// It must.
        RequireCorp => "require-corp",
        /// It need not, but is asked for without cookies.
        Credentialless => "credentialless",
    }
    /// Who may embed this.
    CrossOriginResourcePolicy, "cross-origin-resource-policy", cross_origin_resource_policy, set_cross_origin_resource_policy {
        /// Pages of the same site.
        SameSite => "same-site",
        /// Pages of the same origin.
        SameOrigin => "same-origin",
        /// All pages.
        CrossOrigin => "cross-origin",
    }
}

/// CORS: what scripts of other origins may do.
impl Response {
    /// Whether scripts of other origins may send cookies along, and read the answer all the same.
    pub fn access_control_allow_credentials(&self) -> bool {
        self.header("access-control-allow-credentials") == Some("true")
    }

    /// Sets whether scripts of other origins may send cookies along.
    pub fn set_access_control_allow_credentials(&mut self, allow: bool) {
        if allow {
            self.set_header("access-control-allow-credentials", "true");
        } else {
            self.headers.remove("access-control-allow-credentials");
        }
    }

    /// For how long a browser may keep what a preflight request was told.
    pub fn access_control_max_age(&self) -> Option<Duration> {
        self.header("access-control-max-age")?.trim().parse().ok().map(Duration::from_secs)
    }

    /// Sets for how long a browser may keep what a preflight request was told, in whole seconds.
    pub fn set_access_control_max_age(&mut self, age: impl Into<Option<Duration>>) {
        match age.into() {
            Some(age) => self.set_header("access-control-max-age", &age.as_secs().to_string()),
            None => _ = self.headers.remove("access-control-max-age"),
        }
    }
}
