/* em_course.h: parameters that change with time, along straight lines between points.
 *
 * Before the first point the first value holds, after the last the last. Anyone may call anything here.
 */
#ifndef EM_COURSE_H
#define EM_COURSE_H

#include <stdint.h>

typedef struct em_course {
    int parameter;  /* which one, by its place */
    int64_t points; /* at least one, times ascending */
    const double *time, *value;
    const struct em_course *next; /* that of another parameter */
} em_course;

static inline double em_course_at(const em_course *course, double time)
{
    int64_t low = 0, high = course->points - 1;
    if (!(time > course->time[low])) return course->value[low];
    if (time >= course->time[high]) return course->value[high];
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (course->time[middle] <= time)
            low = middle;
        else
            high = middle;
    }
    const double part = (time - course->time[low]) / (course->time[high] - course->time[low]);
    return course->value[low] + part * (course->value[high] - course->value[low]);
}

#endif
