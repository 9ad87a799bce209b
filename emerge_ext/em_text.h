/* em_text.h: lists of edges as text.
 *
 * A line names two agents, whole numbers from 0, and perhaps a weight, apart by blanks and tabs or by one comma; what
 * follows # or % is a comment. Lines end by \n, \r\n, or with the text. A line belongs to the piece of the text that
 * its first byte is in, so pieces may be cut anywhere.
 *
 * What is not as plain as that is odd, even where Python would know what is meant; there it is read anew. So no number
 * is ever read otherwise than Python does: weights are left to strtod, which rounds correctly, and taken only if it has
 * used up every byte, so that one which follows the customs of another country takes none. Nothing is read outside
 * of the text, which needs no end mark.
 */
#ifndef EM_TEXT_H
#define EM_TEXT_H

#include "em_list.h"

#include <stdlib.h>

#define EM_TEXT_PIECE  (1 << 18) /* bytes of a piece: a millisecond's work; whole pages of memory */
#define EM_TEXT_WEIGHT 64        /* bytes of the longest weight, and one */

typedef struct {
    const char *text;
    int64_t size;
    int64_t first;  /* where the first line begins */
    int64_t piece;  /* bytes of a piece */
    char separator; /* ',', or ' ' for blanks and tabs */
    bool mapped;    /* whether it is a file seen as memory, which need not stay there once it was read */
} em_text;

typedef struct {
    const char *at, *end;
} em_text_cursor;

static inline bool em_text_is_digit(char byte)
{
    return (unsigned char)(byte - '0') < 10;
}

static inline void em_text_skip(em_text_cursor *cursor)
{
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t')) cursor->at++;
}

/* Goes from one field to the next. */
static inline bool em_text_part(em_text_cursor *cursor, char separator)
{
    const char *field = cursor->at;
    em_text_skip(cursor);
    if (separator != ',') return cursor->at > field;
    if (cursor->at == cursor->end || *cursor->at++ != ',') return false;
    em_text_skip(cursor);
    return true;
}

static inline bool em_text_agent(em_text_cursor *cursor, int64_t limit, int32_t *agent)
{
    const char *field = cursor->at;
    int64_t number = 0;
    for (; cursor->at < cursor->end && em_text_is_digit(*cursor->at); cursor->at++) {
        number = 10 * number + (*cursor->at - '0');
        if (number >= limit) return false;
    }
    *agent = (int32_t)number;
    return cursor->at > field;
}

static inline bool em_text_weight(em_text_cursor *cursor, double *weight)
{
    char field[EM_TEXT_WEIGHT], *tail;
    int size = 0;
    for (; cursor->at < cursor->end && size < EM_TEXT_WEIGHT; cursor->at++) {
        char byte = *cursor->at;
        if (!em_text_is_digit(byte) && byte != '.' && byte != '-' && byte != '+' && (byte | 32) != 'e') break;
        field[size++] = byte;
    }
    if (size == 0 || size == EM_TEXT_WEIGHT) return false;
    field[size] = 0;
    *weight = strtod(field, &tail);
    return tail == field + size && isfinite(*weight);
}

/* Goes to the next line, if no more than a comment is left of this one. */
static inline bool em_text_end(em_text_cursor *cursor, bool *foreign)
{
    if (cursor->at < cursor->end && (*cursor->at == '#' || *cursor->at == '%'))
        for (; cursor->at < cursor->end && *cursor->at != '\n' && *cursor->at != '\r'; cursor->at++)
            *foreign |= (unsigned char)*cursor->at > 127;
    if (cursor->at < cursor->end && *cursor->at == '\r') cursor->at++;
    return cursor->at == cursor->end || *cursor->at++ == '\n';
}

/* Goes to the next line whatever is left of this one. */
static inline bool em_text_leave(em_text_cursor *cursor)
{
    const char *line = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));
    cursor->at = line == NULL ? cursor->end : line + 1;
    return true;
}

/* Reads a line and goes to the next; false if it is odd. Weights that nobody wants have been looked at. */
static inline bool em_text_line(
    const em_list *list, char separator, em_text_cursor *cursor, em_list_reader *reader)
{
    int32_t one, other;
    double weight = 1.0;
    em_text_skip(cursor);
    if (cursor->at == cursor->end || !em_text_is_digit(*cursor->at))
        return em_text_end(cursor, &reader->foreign);
    if (!em_text_agent(cursor, list->limit, &one) || !em_text_part(cursor, separator) ||
        !em_text_agent(cursor, list->limit, &other))
        return false;
    if (list->weighted && !reader->weighted) {
        em_list_put(reader, one, other, weight);
        return em_text_leave(cursor);
    }
    if (list->weighted && !(em_text_part(cursor, separator) && em_text_weight(cursor, &weight))) return false;
    em_text_skip(cursor);
    if (!em_text_end(cursor, &reader->foreign)) return false;
    em_list_put(reader, one, other, weight);
    return true;
}

/* The first line that begins in a piece, or its end. */
static inline const char *em_text_begin(const em_text *text, int64_t start, const char *stop)
{
    if (start <= text->first) return text->text + text->first;
    const char *before = text->text + start - 1, *line = memchr(before, '\n', (size_t)(stop - before));
    return line == NULL ? stop : line + 1;
}

/* Lets go of a piece that was read, and of the two beside it: a line that begins or ends there has brought some of their
 * pages back. Whoever is reading them gets them again. */
static inline void em_text_forget(const em_text *text, int64_t start)
{
    int64_t first = start < text->piece ? 0 : start - text->piece, end = start + 2 * text->piece;
    em_base_forget((void *)(text->text + first), (size_t)((end < text->size ? end : text->size) - first));
}

static inline bool em_text_read(const em_list *list, int64_t piece, em_list_reader *reader)
{
    const em_text *text = list->given;
    const int64_t start = piece * text->piece, left = text->size - start;
    const char *stop = text->text + start + (left < text->piece ? left : text->piece);
    em_text_cursor cursor = {em_text_begin(text, start, stop), text->text + text->size};
    bool plain = true;
    while (plain && cursor.at < stop) plain = em_text_line(list, text->separator, &cursor, reader);
    if (text->mapped) em_text_forget(text, start);
    return plain;
}

static inline void em_text_init(em_text *text, em_list *list, int64_t limit, bool weighted)
{
    int64_t pieces = (text->size + text->piece - 1) / text->piece;
    em_list_init(list, em_text_read, text, pieces, limit, weighted);
}

#endif
