//! What several lessons say together, as pictures. Each is drawn from what was found, and left out where nothing was.

use super::data::Data;
use super::storms::{self, Storm};
use super::{ends, identity, kinds, tank, wakeups};

pub(super) fn view(data: &Data, storms: &[Storm]) -> String {
    let pictures = [
        kinds::picture(data),
        ends::picture(data),
        tank::pictures(data),
        identity::pictures(data),
        wakeups::picture(data),
        storms::picture(storms),
    ];
    let mut html = "<section class=\"view\" id=\"pictures\"><h2>Pictures</h2>".to_owned();
    if pictures.iter().all(String::is_empty) {
        html += "<p>None of the lessons of this page gives one.</p>";
    }
    html + &pictures.concat() + "</section>\n"
}
