//! A picture under construction.
//!
//! This is by hand because the pictures take their colours from the page's style sheet, so that they follow the reader's
//! light or dark mode, and carry titles, dashes and six shapes of markers: a plotting crate writes colours into every
//! element, and what would have to be put right afterwards is more than what is here.

use std::fmt::Write as _;

/// The width of every picture in its own units: as wide as a small phone, so that it is hardly scaled there and its text
/// stays legible.
pub const WIDTH: f64 = 400.0;

/// Elements of a picture.
#[derive(Default)]
pub struct Svg {
    body: String,
}

/// Which end of a text stands at its place.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// How the points of a contender look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Bar,
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Pentagon,
    Cross,
    Plus,
    Star,
}

/// Text that may stand in HTML and in attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Svg {
    pub fn open(&mut self, class: &str) {
        let _ = write!(self.body, "<g class=\"{class}\">");
    }

    pub fn close(&mut self) {
        self.body.push_str("</g>");
    }

    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
    }

    pub fn rect(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let (width, height) = ((x2 - x1).max(0.0), (y2 - y1).max(0.0));
        let rect = format!("x=\"{x1:.1}\" y=\"{y1:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"");
        let _ = write!(self.body, "<rect class=\"{class}\" {rect}/>");
    }

    /// A line through points, or the area that they surround.
    pub fn through(&mut self, class: &str, dash: &str, points: &[(f64, f64)], closed: bool) {
        let mut d = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let _ = write!(d, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        }
        let end = if closed { "Z" } else { "" };
        let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        let _ = write!(self.body, "<path class=\"{class}\"{dash} d=\"{d}{end}\"/>");
    }

    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let _ = write!(self.body, "<text class=\"{class}\"{anchor} x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(text));
    }

    /// A marker that says its numbers when it is pointed at.
    pub fn marker(&mut self, shape: Shape, filled: bool, (x, y): (f64, f64), tip: &str) {
        let class = if filled { "m f" } else { "m" };
        let tip = if tip.is_empty() { String::new() } else { format!("<title>{}</title>", escape(tip)) };
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{}\">{tip}</path>", outline(shape, x, y));
    }

    /// The ring around a point at which the load was the limit.
    pub fn ring(&mut self, (x, y): (f64, f64)) {
        let _ = write!(self.body, "<circle class=\"ring\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7.5\"/>");
    }

    /// The whole picture. `id` is one that the page has once.
    pub fn finish(self, id: &str, height: f64, title: &str, description: &str) -> String {
        let (title, description) = (escape(title), escape(description));
        format!(
            "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc>{}</svg>",
            self.body
        )
    }

    /// A small picture inside a text, which says nothing that the text does not.
    pub fn inline(self, width: f64, height: f64) -> String {
        format!(
            "<svg class=\"swatch\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             aria-hidden=\"true\">{}</svg>",
            self.body
        )
    }
}

fn outline(shape: Shape, x: f64, y: f64) -> String {
    let corners = |corners: &[(f64, f64)]| {
        let mut d = String::new();
        for (index, (dx, dy)) in corners.iter().enumerate() {
            let _ = write!(d, "{}{:.1} {:.1}", if index == 0 { 'M' } else { 'L' }, x + dx, y + dy);
        }
        d + "Z"
    };
    match shape {
        Shape::Bar => corners(&[(-1.5, -6.0), (1.5, -6.0), (1.5, 6.0), (-1.5, 6.0)]),
        Shape::Circle => format!("M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", x - 4.0),
        Shape::Square => corners(&[(-3.7, -3.7), (3.7, -3.7), (3.7, 3.7), (-3.7, 3.7)]),
        Shape::Diamond => corners(&[(0.0, -5.4), (5.4, 0.0), (0.0, 5.4), (-5.4, 0.0)]),
        Shape::Up => corners(&[(0.0, -5.2), (5.0, 3.8), (-5.0, 3.8)]),
        Shape::Down => corners(&[(0.0, 5.2), (5.0, -3.8), (-5.0, -3.8)]),
        Shape::Pentagon => corners(&[(0.0, -5.2), (5.0, -1.4), (3.1, 4.4), (-3.1, 4.4), (-5.0, -1.4)]),
        Shape::Cross => format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, y - 4.0),
        Shape::Plus => format!("M{:.1} {y:.1}h10m-5 -5v10", x - 5.0),
        Shape::Star => format!("M{:.1} {y:.1}h10m-7.5 -4.3l5 8.6m0 -8.6l-5 8.6", x - 5.0),
    }
}
