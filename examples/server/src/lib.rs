//! A RAG service, traced: upload documents and ask questions in a page.
