// Rows of an inline that has the class "sortable" can be dragged; their position fields follow. Without this script
// the positions are typed.

document.addEventListener("DOMContentLoaded", () => {
  for (const group of document.querySelectorAll(".inline-group:has(.sortable)")) makeSortable(group);
});

function rowsOf(group) {
  return [...group.querySelectorAll("tbody tr.form-row:not(.empty-form)")];
}

function renumber(group) {
  rowsOf(group).forEach((row, index) => {
    const position = row.querySelector("input[name$='-position']");
    if (position) position.value = index;
  });
}

function makeSortable(group) {
  let dragged = null;
  for (const row of rowsOf(group).filter((each) => each.classList.contains("has_original"))) {
    const handle = document.createElement("button");
    handle.type = "button";
    handle.className = "drag-handle";
    handle.draggable = true;
    handle.setAttribute("aria-label", "Move this picture: drag it, or press the up and down arrow keys");
    handle.textContent = "⠿";
    row.querySelector("td.field-preview").prepend(handle);
    handle.addEventListener("dragstart", (event) => {
      dragged = row;
      event.dataTransfer.setDragImage(row, 0, 0);
      event.dataTransfer.effectAllowed = "move";
    });
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowUp: row.previousElementSibling, ArrowDown: row.nextElementSibling }[event.key];
      if (!step?.classList.contains("has_original")) return;
      event.preventDefault();
      if (event.key === "ArrowUp") step.before(row);
      else step.after(row);
      renumber(group);
      handle.focus();
    });
  }
  group.addEventListener("dragover", (event) => {
    const over = event.target.closest("tr.has_original");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) over.before(dragged);
    else over.after(dragged);
  });
  group.addEventListener("dragend", () => {
    dragged = null;
    renumber(group);
  });
}
