//! A sheet of paper passes as a PDF, written page by page.
//!
//! A street office prints thousands of cards at once on a small machine, so no more than one page is ever
//! held: pdf-writer makes each object, this module puts it into the file and keeps its position for the
//! cross-reference table (ISO 32000-1, 7.5.4). The file is whole only after [`PdfSheet::finish`]; a file
//! that was broken off has no trailer and no reader takes it for a sheet. Equal cards give equal bytes: there
//! is no date in it.

use std::io::Write;

use pdf_writer::types::PageLayout;
use pdf_writer::{Chunk, Filter, Rect, Ref, TextStr};

use super::deflate::zlib;
use super::pdf_font::{FontRefs, UsedGlyphs};
use super::pdf_page::{A4_MM, Layout, PT_PER_MM, Page, TYPE_NAME};
use super::{Card, SheetError, scene};

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SheetSummary {
    /// Cards on the sheet.
    pub cards: usize,
    /// Pages of A4.
    pub pages: usize,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A PDF that grows card by card. Without [`finish`](Self::finish) the file is not a PDF.
pub struct PdfSheet<W: Write> {
    out: W,
    layout: Layout,
    /// Position of object n+1, once it is written.
    positions: Vec<u64>,
    bytes: u64,
    cards: usize,
    pages: Vec<Ref>,
    open_page: Option<Page>,
    glyphs: UsedGlyphs,
}

const CATALOG: i32 = 1;
const PAGES: i32 = 2;
const INFO: i32 = 3;
const FONT: i32 = 4;
const FIRST_PAGE: i32 = 9;

impl<W: Write> PdfSheet<W> {
    /// Starts a sheet on `out`, best a buffered file.
    ///
    /// # Errors
    /// [`SheetError::Write`] when `out` refuses the header.
    pub fn new(out: W, layout: Layout) -> Result<Self, SheetError> {
        let mut sheet = Self {
            out,
            layout,
            positions: vec![0; FIRST_PAGE as usize - 1],
            bytes: 0,
            cards: 0,
            pages: Vec::new(),
            open_page: None,
            glyphs: UsedGlyphs::new(),
        };
        sheet.put(b"%PDF-1.7\n%\x80\x80\x80\x80\n")?;
        Ok(sheet)
    }

    /// Puts one card on the sheet; a full page goes to the file.
    ///
    /// # Errors
    /// [`SheetError::PayloadTooBig`] and [`SheetError::NoPayload`] leave the sheet as it was, so the caller may
    /// go on with the next card; [`SheetError::Write`] ends it.
    pub fn push(&mut self, card: &Card) -> Result<(), SheetError> {
        let scene = scene::sheet_card(card)?;
        let place = self.cards % self.layout.cards_per_page();
        let number = self.pages.len() + 1;
        let mut page = match self.open_page.take() {
            Some(page) => page,
            None => Page::new(self.layout, number, &mut self.glyphs),
        };
        page.paint(place, &scene, &mut self.glyphs);
        self.cards += 1;
        if self.cards.is_multiple_of(self.layout.cards_per_page()) {
            self.close_page(page)?;
        } else {
            self.open_page = Some(page);
        }
        Ok(())
    }

    /// Writes the last page, the type and the table of contents, and flushes `out`.
    ///
    /// # Errors
    /// [`SheetError::NoCards`] when nothing was pushed; [`SheetError::Write`]; [`SheetError::Type`].
    pub fn finish(mut self) -> Result<SheetSummary, SheetError> {
        if self.cards == 0 {
            return Err(SheetError::NoCards);
        }
        if let Some(page) = self.open_page.take() {
            self.close_page(page)?;
        }
        for (object, chunk) in self.glyphs.objects(&font_refs())? {
            self.put_object(object, &chunk)?;
        }
        self.put_page_tree()?;
        self.put_trailer()?;
        self.out.flush()?;
        Ok(SheetSummary { cards: self.cards, pages: self.pages.len(), bytes: self.bytes })
    }

    fn close_page(&mut self, page: Page) -> Result<(), SheetError> {
        let packed = zlib(&page.finish())?;
        let content = self.next_object();
        let mut chunk = Chunk::with_capacity(packed.len() + 100);
        chunk.stream(content, &packed).filter(Filter::FlateDecode);
        self.put_object(content, &chunk)?;

        let object = self.next_object();
        let mut chunk = Chunk::new();
        chunk.page(object).parent(Ref::new(PAGES)).contents(content);
        self.put_object(object, &chunk)?;
        self.pages.push(object);
        Ok(())
    }

    /// What all pages share (size, type) is written once, in the tree's root.
    fn put_page_tree(&mut self) -> Result<(), SheetError> {
        let mut chunk = Chunk::new();
        let mut tree = chunk.pages(Ref::new(PAGES));
        tree.count(i32::try_from(self.pages.len()).unwrap_or(i32::MAX)).kids(self.pages.iter().copied());
        tree.media_box(Rect::new(0.0, 0.0, A4_MM.0 * PT_PER_MM, A4_MM.1 * PT_PER_MM));
        tree.resources().fonts().pair(TYPE_NAME, Ref::new(FONT));
        drop(tree);
        self.put_object(Ref::new(PAGES), &chunk)?;

        let mut chunk = Chunk::new();
        chunk
            .indirect(Ref::new(CATALOG))
            .start::<pdf_writer::writers::Catalog<'_>>()
            .pages(Ref::new(PAGES))
            .page_layout(PageLayout::SinglePage)
            .lang(TextStr("zh-CN"));
        self.put_object(Ref::new(CATALOG), &chunk)?;

        let mut chunk = Chunk::new();
        chunk
            .indirect(Ref::new(INFO))
            .start::<pdf_writer::writers::DocumentInfo<'_>>()
            .title(TextStr("纸质通行证 Paper passes"))
            .producer(TextStr("menshen"));
        self.put_object(Ref::new(INFO), &chunk)
    }

    fn put_trailer(&mut self) -> Result<(), SheetError> {
        let start = self.bytes;
        let size = self.positions.len() + 1;
        let mut table = format!("xref\n0 {size}\n0000000000 65535 f \n");
        for position in &self.positions {
            table.push_str(&format!("{position:010} 00000 n \n"));
        }
        table.push_str(&format!(
            "trailer\n<< /Size {size} /Root {CATALOG} 0 R /Info {INFO} 0 R >>\nstartxref\n{start}\n%%EOF\n"
        ));
        self.put(table.as_bytes())
    }

    fn next_object(&mut self) -> Ref {
        self.positions.push(0);
        Ref::new(i32::try_from(self.positions.len()).unwrap_or(i32::MAX))
    }

    /// Writes a chunk that holds exactly the object `object`, so that the object starts where the chunk does.
    fn put_object(&mut self, object: Ref, chunk: &Chunk) -> Result<(), SheetError> {
        debug_assert_eq!(chunk.refs().collect::<Vec<_>>(), [object]);
        self.positions[object.get() as usize - 1] = self.bytes;
        self.put(chunk.as_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), SheetError> {
        self.out.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

fn font_refs() -> FontRefs {
    FontRefs {
        font: Ref::new(FONT),
        descendant: Ref::new(FONT + 1),
        descriptor: Ref::new(FONT + 2),
        program: Ref::new(FONT + 3),
        to_unicode: Ref::new(FONT + 4),
    }
}
