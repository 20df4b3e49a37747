//! A picture as pixels.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{fontdb, Options, Tree};

use crate::text::FONT;
use crate::{Drawing, Layout, Theme};

/// A picture that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// It would have too many pixels.
    #[error("a picture of {width} x {height} pixels is too large; SVG has no limit")]
    TooLarge {
        /// How wide it would be.
        width: u32,
        /// How high.
        height: u32,
    },
    /// The SVG or its pixels could not be made: a fault of this crate.
    #[error("the picture could not be made: {0}")]
    Failed(String),
}

/// More pixels than these are refused: they take four bytes each.
const MOST: u64 = 120_000_000;

/// Makes pixels of a picture, `scale` of them for each of SVG's, in each direction.
///
/// # Errors
///
/// It would be too large.
pub fn png(
    graph: &Drawing,
    layout: &Layout,
    theme: Theme,
    scale: f32,
) -> Result<Vec<u8>, PngError> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    let svg = crate::svg(graph, layout, theme);
    let failed = |error: &dyn std::fmt::Display| PngError::Failed(error.to_string());
    let tree = Tree::from_str(&svg, &options).map_err(|error| failed(&error))?;
    let size = |pixels: f32| (pixels * scale).ceil() as u32;
    let (width, height) = (size(tree.size().width()), size(tree.size().height()));
    if u64::from(width) * u64::from(height) > MOST {
        return Err(PngError::TooLarge { width, height });
    }
    let mut pixels = Pixmap::new(width, height).ok_or(PngError::TooLarge { width, height })?;
    // The last pixels are whole ones, too.
    let whole = |pixels: u32, of: f32| pixels as f32 / of;
    let (x, y) = (whole(width, tree.size().width()), whole(height, tree.size().height()));
    resvg::render(&tree, Transform::from_scale(x, y), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(&error))
}
