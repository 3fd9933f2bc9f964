//! Elements that act at once: buttons, menus, and inputs outside of input blocks.

use askama::Template;
use serde_json::Value;

use super::{
    field,
    html::{Html, address},
    inputs,
    json::{list, string, text},
    layout::{Surface, picture, unknown},
    press,
};

/// An element of an actions block, or a section's accessory.
pub(super) fn element(surface: &Surface<'_>, block: &str, element: &Value) -> Html {
    let action = string(element, "action_id");
    let name = press(block, action);
    match string(element, "type") {
        "button" | "workflow_button" => button(surface, &name, element),
        "icon_button" => button(surface, &name, element),
        "overflow" => overflow(surface, &name, element),
        "feedback_buttons" => {
            let both = ["positive_button", "negative_button"];
            both.iter()
                .map(|kind| button(surface, &name, &element[*kind]))
                .collect()
        }
        "image" => picture(element, "b-thumbnail"),
        kind => match inputs::control(
            surface,
            &field(block, action),
            element,
            &inputs::Around::acting(element),
        ) {
            Some(control) => acting(surface, &name, element, control),
            None => unknown(element, kind),
        },
    }
}

#[derive(Template)]
#[template(path = "sandbox/blocks_elements.html", block = "press")]
struct Press<'a> {
    class: String,
    name: &'a str,
    value: &'a str,
    /// A view's form leads elsewhere than its presses.
    to: Option<&'a str>,
    spoken: &'a str,
    text: Html,
    confirm: Option<Confirm>,
}

struct Confirm {
    title: Html,
    text: Html,
    confirm: Html,
    deny: Html,
    style: &'static str,
}

#[derive(Template)]
#[template(path = "sandbox/blocks_elements.html", block = "link_button")]
struct LinkButton<'a> {
    class: String,
    href: &'a str,
    name: &'a str,
    value: &'a str,
    spoken: &'a str,
    text: Html,
}

fn button(surface: &Surface<'_>, name: &str, button: &Value) -> Html {
    let class = format!("b-button {}", style(button));
    let spoken = string(button, "accessibility_label");
    let value = string(button, "value");
    let text = surface.text(&button["text"]);
    if let Some(href) = address(string(button, "url")) {
        return Html::of(&LinkButton {
            class,
            href: &href,
            name,
            value,
            spoken,
            text,
        });
    }
    Html::of(&Press {
        class,
        name,
        value,
        to: target(surface),
        spoken,
        text,
        confirm: confirm(surface, button),
    })
}

fn style(of: &Value) -> &'static str {
    match string(of, "style") {
        "primary" => "b-primary",
        "danger" => "b-danger",
        _ => "",
    }
}

fn target<'a>(surface: &Surface<'a>) -> Option<&'a str> {
    surface.is_view.then_some(surface.scene.action)
}

fn confirm(surface: &Surface<'_>, element: &Value) -> Option<Confirm> {
    let confirm = &element["confirm"];
    let or = |name: &str, usual: &str| {
        let text = surface.text(&confirm[name]);
        if text.is_empty() {
            Html::text(usual)
        } else {
            text
        }
    };
    confirm.is_object().then(|| Confirm {
        title: Html::text(&or("title", "Are you sure?").to_plain()),
        text: or("text", ""),
        confirm: or("confirm", "Yes"),
        deny: or("deny", "Cancel"),
        style: if string(confirm, "style") == "danger" {
            "b-danger"
        } else {
            "b-primary"
        },
    })
}

#[derive(Template)]
#[template(path = "sandbox/blocks_elements.html", block = "overflow")]
struct Overflow<'a> {
    spoken: &'a str,
    options: Html,
}

fn overflow(surface: &Surface<'_>, name: &str, element: &Value) -> Html {
    let spoken = match string(element, "accessibility_label") {
        "" => "More actions",
        label => label,
    };
    let options = list(element, "options").iter().map(|option| {
        let value = string(option, "value");
        let class = "b-option".to_owned();
        let text = surface.text(&option["text"]);
        match address(string(option, "url")) {
            Some(href) => Html::of(&LinkButton {
                class,
                href: &href,
                name,
                value,
                spoken: "",
                text,
            }),
            None => Html::of(&Press {
                class,
                name,
                value,
                to: target(surface),
                spoken: "",
                text,
                confirm: confirm(surface, element),
            }),
        }
    });
    Html::of(&Overflow {
        spoken,
        options: options.collect(),
    })
}

#[derive(Template)]
#[template(path = "sandbox/blocks_elements.html", block = "acting")]
struct Acting {
    control: Html,
    send: Html,
    autosubmits: bool,
}

/// An input whose change is told at once; without JavaScript, by a button.
fn acting(surface: &Surface<'_>, name: &str, element: &Value, control: Html) -> Html {
    Html::of(&Acting {
        control,
        send: send(surface, name, element),
        autosubmits: element["confirm"].is_null(),
    })
}

/// The button that tells of an input's change.
pub(super) fn send(surface: &Surface<'_>, name: &str, element: &Value) -> Html {
    let spoken = format!("Send: {}", text(&element["placeholder"]));
    Html::of(&Press {
        class: "b-button b-send".to_owned(),
        name,
        value: "",
        to: target(surface),
        spoken: &spoken,
        text: Html::text("Send"),
        confirm: confirm(surface, element),
    })
}
