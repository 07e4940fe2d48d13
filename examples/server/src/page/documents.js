// Files that are dropped or chosen, and the queue of their uploads.

import { Batch } from "./batch.js";
import { announce, find, setText } from "./dom.js";
import { counted } from "./format.js";

let queue = Promise.resolve();

export function startDocuments() {
  const input = find("#files");
  input.addEventListener("change", () => {
    ingest([...input.files]);
    // So that a file can be chosen again.
    input.value = "";
  });
  // It looks like a button, and so answers to Enter like one; by itself it knows the space bar alone.
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    input.click();
  });
  const zone = find("#drop");
  // Entering a child leaves its parent: only the sum says whether the files are over the page.
  let over = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const light = (by) => {
    over = by === 0 ? 0 : Math.max(0, over + by);
    zone.classList.toggle("over", over > 0);
  };
  document.addEventListener("dragenter", (event) => hasFiles(event) && light(1));
  document.addEventListener("dragleave", (event) => hasFiles(event) && light(-1));
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    light(0);
    if (find("#sign-in").hidden === false) return;
    location.hash = "#documents";
    const { files, folders } = filesOf(event.dataTransfer);
    if (folders > 0) announce("A folder was left out: choose the files in it.");
    ingest(files, folders);
  });
}

/** The files of a drop. A folder comes as a file that cannot be read. */
function filesOf(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const folders = items.filter((item) => item.webkitGetAsEntry?.()?.isDirectory);
  const files = items.filter((item) => !folders.includes(item)).map((item) => item.getAsFile());
  return { files: files.filter(Boolean), folders: folders.length };
}

/** Uploads go one after the other: the browser has few connections to a host. */
function ingest(files, folders = 0) {
  setText(
    find("#left-out"),
    folders > 0 ? `${counted(folders, "folder was", "folders were")} left out. Choose the files in it.` : "",
  );
  if (files.length === 0) return;
  const batch = new Batch(files);
  find("#batches").prepend(batch.element);
  find("#no-batches")?.remove();
  queue = queue.then(() => batch.run());
}
