//! How much room text takes, in the font that comes along.

use std::sync::OnceLock;

use ttf_parser::Face;

/// DejaVu Sans: its licence lies beside it.
pub(crate) static FONT: &[u8] = include_bytes!("../font/DejaVuSans.ttf");

/// What the SVG asks for: whoever shows it may have another, whose letters are not much wider.
pub(crate) const FAMILY: &str = "DejaVu Sans, Verdana, Segoe UI, sans-serif";

/// The height of a label's letters, in pixels.
pub(crate) const LABEL: f64 = 14.0;

/// The same of notes and of what is written beside edges.
pub(crate) const SMALL: f64 = 11.0;

/// How wide a line of text is at most, in pixels.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    let face = FACE.get_or_init(|| Face::parse(FONT, 0).ok());
    let letter = |letter: char| -> f64 {
        let Some(face) = face else { return 0.6 };
        let glyph = face.glyph_index(letter).and_then(|glyph| face.glyph_hor_advance(glyph));
        // What the font lacks is mostly Chinese, Japanese, Korean, or an emoji: as wide as high.
        glyph.map_or(1.0, |advance| f64::from(advance) / f64::from(face.units_per_em()))
    };
    text.chars().map(letter).sum::<f64>() * size
}

/// The text, cut if it is longer than anybody reads in a picture.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// The size of a small text with some room around it.
pub(crate) fn plate(label: &str) -> (f64, f64) {
    (width(&cut(label, LONGEST), SMALL) + 10.0, SMALL + 6.0)
}

/// More letters than these are cut off.
pub(crate) const LONGEST: usize = 48;
