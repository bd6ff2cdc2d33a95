//! A recording that a loop has made of itself, opened: what it says in short, and a page to look at it closely.

mod gaps;
mod page;
mod read;
mod story;
mod summary;

use std::fs;
use std::path::Path;
use story::Story;

/// Files beyond this are not opened: a recording at its usual limit has a tenth of it.
const BYTES_MAX: u64 = 1 << 30;

/// Reads a recording; answers the summary, and writes the page if it is wanted.
///
/// # Errors
///
/// One line: what is wrong with the file, and what to do.
pub(crate) fn open(path: &Path, html: Option<&Path>) -> Result<String, String> {
    let name = path.display();
    let size = fs::metadata(path).map_err(|e| format!("cannot open {name}: {e}"))?.len();
    if size > BYTES_MAX {
        return Err(format!(
            "{name} has {size} bytes, more than {BYTES_MAX}: record less, or look at it in ui.perfetto.dev"
        ));
    }
    let text = fs::read_to_string(path).map_err(|e| format!("cannot read {name}: {e}"))?;
    let (lines, cut_off) = read::lines(&text).map_err(|e| format!("{name} is no recording of a loop: {e}"))?;
    let story = Story::of(&lines, cut_off);
    if story.turns.is_empty() {
        return Err(format!("{name} is no recording of a loop: there is no turn in it; make one with --record FILE"));
    }
    let gaps = gaps::longest(&story);
    let title = path.file_name().map_or_else(|| name.to_string(), |file| file.to_string_lossy().into_owned());
    let summary = summary::of(&title, &story, &gaps);
    if let Some(html) = html {
        let page = page::render(&title, &story, &gaps, &summary);
        fs::write(html, page).map_err(|e| format!("cannot write {}: {e}", html.display()))?;
    }
    Ok(summary)
}
