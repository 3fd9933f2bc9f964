mod architecture;
mod checklist;
mod render;
mod triage;
