//! Markdown blocks: standard Markdown, without its HTML and its images.

use pulldown_cmark::{
    Alignment, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html::push_html,
};

use super::{
    html::{Html, address},
    mentions,
    words::words,
};

pub(super) fn html(text: &str) -> Html {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut tamer = Tamer::default();
    let events = Parser::new_ext(text, options).map(|event| tamer.tame(event));
    let mut out = String::new();
    push_html(&mut out, events);
    Html::written(out)
}

/// What it lets through holds no HTML but ours.
#[derive(Default)]
struct Tamer {
    in_code: bool,
    /// For each link that is open, whether it is shown as one.
    links: Vec<bool>,
}

impl Tamer {
    fn tame<'a>(&mut self, event: Event<'a>) -> Event<'a> {
        let nothing = || Event::Text(CowStr::Borrowed(""));
        match event {
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
            // Alignment would be written as a style, which the page's policy forbids.
            Event::Start(Tag::Table(columns)) => {
                Event::Start(Tag::Table(vec![Alignment::None; columns.len()]))
            }
            Event::Start(Tag::CodeBlock(_)) => {
                self.in_code = true;
                Event::Start(Tag::CodeBlock(CodeBlockKind::Indented))
            }
            Event::End(TagEnd::CodeBlock) => {
                self.in_code = false;
                Event::End(TagEnd::CodeBlock)
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let open = address(&dest_url).map(|to| mentions::opening(&to));
                self.links.push(open.is_some());
                open.map_or_else(nothing, |html| Event::InlineHtml(html.into_string().into()))
            }
            Event::End(TagEnd::Link | TagEnd::Image) => match self.links.pop() {
                Some(true) => Event::InlineHtml("</a>".into()),
                _ => nothing(),
            },
            Event::Text(text) if !self.in_code => {
                Event::InlineHtml(words(&text).into_string().into())
            }
            Event::SoftBreak => Event::HardBreak,
            other => other,
        }
    }
}
