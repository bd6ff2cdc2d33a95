//! A picture under construction. Its colours are those of the style sheet, so that they follow light and dark.

use super::html::escape;
use crate::kit::Mechanism;
use std::fmt::Write as _;

#[derive(Debug, Default)]
pub(super) struct Picture {
    body: String,
    wide: f64,
    tall: f64,
}

impl Picture {
    /// The picture is as large as what stands in it.
    fn holds(&mut self, x: f64, y: f64) {
        self.wide = self.wide.max(x);
        self.tall = self.tall.max(y);
    }

    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        self.holds(x + width(text), y + 4.0);
        let _ = write!(self.body, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(text));
    }

    pub(super) fn rect(&mut self, class: &str, (x, y): (f64, f64), (wide, tall): (f64, f64)) {
        self.holds(x + wide, y + tall);
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            wide.max(0.0),
            tall.max(0.0)
        );
    }

    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.holds(x1.max(x2), y1.max(y2));
        let _ = write!(self.body, "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
    }

    /// A line with a point at its end.
    pub(super) fn arrow(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.line(class, from, to);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(1.0);
        let (ux, uy) = (dx / length * 7.0, dy / length * 7.0);
        let _ = write!(
            self.body,
            "<path class=\"on\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z\"/>",
            to.0,
            to.1,
            to.0 - ux - uy * 0.5,
            to.1 - uy + ux * 0.5,
            to.0 - ux + uy * 0.5,
            to.1 - uy - ux * 0.5
        );
    }

    /// The mark of a mechanism: filled if it has reported.
    pub(super) fn mark(&mut self, mechanism: Mechanism, said: bool, (x, y): (f64, f64)) {
        self.holds(x + 8.0, y + 8.0);
        let class = if said { "mark said" } else { "mark" };
        let _ = write!(
            self.body,
            "<g class=\"k-{mechanism}\"><path class=\"{class}\" transform=\"translate({x:.1} {y:.1})\" d=\"{}\"/></g>",
            outline(mechanism)
        );
    }

    /// A mark that belongs to no mechanism.
    pub(super) fn dot(&mut self, filled: bool, (x, y): (f64, f64)) {
        self.holds(x + 8.0, y + 8.0);
        let class = if filled { "mark said" } else { "mark" };
        let _ = write!(self.body, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5.5\"/>");
    }

    /// As a figure: `id` is one that the page has once.
    pub(super) fn figure(self, id: &str, title: &str, caption: &str, description: &str) -> String {
        let Self { body, wide, tall } = self;
        let (wide, tall) = (wide.ceil() + 6.0, tall.ceil() + 6.0);
        format!(
            "<figure id=\"{id}\" tabindex=\"-1\"><figcaption><h3>{}</h3><p>{}</p></figcaption><div \
             class=\"picture-scroll\" tabindex=\"0\" role=\"group\" \
             aria-label=\"Picture\"><svg \
             class=\"picture\" width=\"{wide}\" height=\"{tall}\" viewBox=\"0 0 {wide} {tall}\" role=\"img\" \
             aria-labelledby=\"{id}-t\"><title id=\"{id}-t\">{}</title>{body}</svg></div></figure>\n",
            escape(title),
            caption,
            escape(description)
        )
    }
}

/// About how wide a text is.
pub(super) fn width(text: &str) -> f64 {
    text.chars().count() as f64 * 6.8
}

/// The mark of each: nobody has to tell colours apart.
pub(super) const fn outline(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Select => "M-5.5 -5.5H5.5V5.5H-5.5Z",
        Mechanism::Poll => "M0 -6.5L6.5 5H-6.5Z",
        Mechanism::Level => "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0Z",
        Mechanism::Edge => "M0 -7.2L7.2 0L0 7.2L-7.2 0Z",
        Mechanism::Oneshot => "M0 6.5L6.5 -5H-6.5Z",
        Mechanism::Mio => "M0 -6.8L6.5 -1.8L4 5.8H-4L-6.5 -1.8Z",
    }
}
