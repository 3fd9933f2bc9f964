//! Files: an address to upload to, the upload, and what is made of it.

use serde_json::{Value, json};

use super::{
    super::{
        Upload, Workspace, refusal,
        workspace::remembered::{FILES, insert},
    },
    Answer, number, refuse, refuse_arguments, text,
};

pub(super) fn deprecated(_: &mut Workspace, _: &Value) -> Answer {
    refuse("method_deprecated")
}

pub(super) fn begin(world: &mut Workspace, args: &Value) -> Answer {
    let length = number(args, "length").and_then(|length| usize::try_from(length).ok());
    let Some(length) = length.filter(|length| *length > 0) else {
        return refuse_arguments("must be more than 0 [json-pointer:/length]");
    };
    let id = format!("F{}", world.count());
    let name = text(args, "filename").to_owned();
    let upload = Upload {
        id: id.clone(),
        title: name.clone(),
        name,
        length,
        content: None,
        is_complete: false,
    };
    insert(&mut world.files, id.clone(), upload, FILES);
    let url = format!("{}/upload/v1/{id}", world.origin);
    Ok(json!({ "ok": true, "upload_url": url, "file_id": id }))
}

pub(super) fn complete(world: &mut Workspace, args: &Value) -> Answer {
    let Some(files) = args["files"].as_array().filter(|files| !files.is_empty()) else {
        return refuse_arguments("must be an array [json-pointer:/files]");
    };
    for file in files {
        let upload = world.files.get(text(file, "id"));
        if upload.is_none_or(|upload| upload.content.is_none() || upload.is_complete) {
            return refuse("file_not_found");
        }
    }
    let channels = match text(args, "channel_id") {
        "" => super::several(args, "channels"),
        channel => vec![channel],
    };
    let mut places = Vec::new();
    for channel in channels {
        places.push(world.postable(channel)?);
    }
    let ids: Vec<String> = files
        .iter()
        .map(|file| text(file, "id").to_owned())
        .collect();
    for file in files {
        if let Some(upload) = world.files.get_mut(text(file, "id")) {
            upload.is_complete = true;
            if let Some(title) = file["title"].as_str() {
                title.clone_into(&mut upload.title);
            }
        }
    }
    for channel in places {
        let said = json!({ "text": args["initial_comment"], "blocks": args["blocks"] });
        let version = world.version(&said, true)?;
        let ts = world.post_as_app(&channel, args, version)?;
        if let Some(channel) = world.channels.get_mut(&channel)
            && let Some(message) = channel.message_mut(&ts)
        {
            message.files.clone_from(&ids);
        }
    }
    let shown: Vec<Value> = ids
        .iter()
        .filter_map(|id| world.files.get(id))
        .map(|file| world.file(file))
        .collect();
    Ok(json!({ "ok": true, "files": shown }))
}

pub(super) fn info(world: &mut Workspace, args: &Value) -> Answer {
    let file = world.files.get(text(args, "file"));
    let file = file
        .filter(|file| file.is_complete)
        .ok_or_else(|| refusal("file_not_found"))?;
    Ok(
        json!({ "ok": true, "file": world.file(file), "comments": [], "response_metadata": { "next_cursor": "" } }),
    )
}

pub(super) fn delete(world: &mut Workspace, args: &Value) -> Answer {
    match world.files.remove(text(args, "file")) {
        Some(_) => Ok(json!({ "ok": true })),
        None => refuse("file_not_found"),
    }
}
