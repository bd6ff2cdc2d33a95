//! The frame of a page, and text that is safe in it.

/// Text that may stand in HTML and in attributes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A file that is complete: `body` between the style that all pages share and `script`, which finds `data_json` in the
/// element `data`.
///
/// What `body` holds must be readable without the script. An element of the class `wants-script` is shown with it only:
/// the script gives the root the class `js`.
///
/// The policy in the head lets nothing be loaded from anywhere.
pub(crate) fn shell(title: &str, body: &str, data_json: &str, script: &str) -> String {
    // In JSON it stands in strings only; as it is it could end the element, or begin a comment in which no end counts.
    let data = data_json.replace('<', "\\u003c");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src \
         'unsafe-inline'\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\n<style>{}</style></head>\n<body>{body}\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n<script>{script}</script></body></html>\n",
        escape(title),
        include_str!("style.css")
    )
}
