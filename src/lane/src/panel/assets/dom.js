// The little that a page needs of its document. Texts are put there as text (textContent), never as markup.

export const byId = (id) => document.getElementById(id);

/** Puts a text where it belongs; what is there already is left alone, so that nobody is read it twice. */
export function put(id, text) {
  const element = byId(id);
  if (element.textContent !== (text ?? "")) element.textContent = text ?? "";
  element.hidden = !text;
}

export function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
