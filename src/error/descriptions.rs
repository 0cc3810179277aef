//! What a client is told of a status when nobody says anything better: in our own words, but for those of 404 and 405.

use http::StatusCode;

pub(super) fn usual_description(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "The server could not understand what this browser (or proxy) sent.",
        401 => "This page needs credentials that were missing or wrong.",
        403 => "You may not see this page: it is there, but not for you.",
        404 => {
            "The requested URL was not found on the server. If you entered the URL manually please check your spelling \
             and try again."
        }
        405 => "The method is not allowed for the requested URL.",
        406 => "There is no form of this resource that your browser says it accepts.",
        408 => "The server closed the connection because the browser did not finish its request in time.",
        409 => "The request conflicts with the present state of this resource.",
        410 => "This URL was once here and is gone for good.",
        411 => "This resource can only be sent to with a valid Content-Length header.",
        412 => "A precondition that the request set does not hold.",
        413 => "The data that was sent is more than the server accepts.",
        414 => "The requested URL is longer than the server accepts.",
        415 => "The server does not take data of this media type.",
        416 => "The server cannot give the range that was asked for.",
        417 => "The server cannot do what the request's Expect header asks for.",
        418 => "This is a teapot: there is no coffee to be had from it.",
        421 => "The request went to a server that does not answer for this host.",
        422 => "The request was well-formed, but what it says makes no sense here.",
        423 => "This resource is locked.",
        424 => "Another request, which this one depends on, has failed.",
        428 => "This request must be conditional: try it with If-Match.",
        429 => "There were too many requests from you in a short time.",
        431 => "The request's headers are larger than the server accepts.",
        451 => "This resource may not be shown, for legal reasons.",
        500 => {
            "The server has met an error of its own and could not answer. It may be overloaded, or the application has \
             a fault."
        }
        501 => "The server does not know how to do what this request asks for.",
        502 => "A server behind this one gave an answer that could not be used.",
        503 => "The server cannot answer just now. Please try again a little later.",
        504 => "A server behind this one did not answer in time.",
        505 => "The server does not speak the version of HTTP that the request used.",
        _ => "The request was not answered as it asked.",
    }
}
