mod architecture;
mod checklist;
mod triage;
