"""A term of fourteen weeks, 5 October to 10 January, message by message.

What follows was written from what courses promise, before their code was read. Times are Berlin's, where the
clocks go back in the night to 25 October. "Lead" is the time before a lesson in which workspaces are started, at
most 45 minutes. Ready, warned, ended: the student's one message of a lesson, which becomes the next of the three.

| case | who runs when | who is told what | the teacher's figures |
|---|---|---|---|
| overlapping: Physics wed 9:00-10:30 and Chemistry wed 10:00-11:30, one notebook | one start in the lead of 9:00, one
  stop at 11:30 | ready for Physics at 9:00 and for Chemistry at 10:00; warned once, at 11:25, of 11:30; nothing about
  10:30 | 1 of 1 for each |
| touching: Latin wed 9:00-10:00 and Greek wed 10:00-11:00, one notebook | one start, one stop at 11:00 | ready for
  each; warned once, at 10:55 | 1 of 1 for each |
| one hour: Drama and Music wed 9:00-10:00, one notebook | one start, one stop at 10:00 | ready, naming both or one
  each; warned once, at 9:55 | 1 of 1 for each |
| a lesson skipped by its student, who has an overlapping one | Physics skipped: one start in the lead of 10:00, one
  stop at 11:30 | ready for Chemistry only | Physics: nobody expected, 1 skips it; Chemistry: 1 of 1 |
| joined 25 minutes before a template's lesson, fri 14:00-15:30 | made and started at 13:35, one stop at 15:30; none at
  14:35 | that it's being made, that it's ready; warned once, at 15:25, of 15:30 | 1 of 1 |
| own end, set in the lesson to later | runs past the lesson's end until the own | the lesson's end isn't told | - |
| own end, set in the lesson to earlier | stops at the own end, isn't started again | that it's their own end | - |
| two titles of one teacher: Physics wed in #a, then Physics fri in #b | the Wednesday's member runs on Wednesdays as
  before, not on Fridays; the Friday's on Fridays | the Wednesday's member hears nothing of the second card | each
  card has its own |
| skip of one of the two, in #b | that Friday nobody, that Wednesday as ever | the Friday's members, once; the teacher
  how many | - |
| skip of one of the two, in a direct message | nothing until it's chosen with a button; then that one only | the
  teacher is asked which; then the members of that one | - |
| a skip of a day on which nothing is taught | as ever | the teacher that there's no lesson then; no member | - |
| a skip taken back with Undo | the lesson takes place | who was told of the skip is told that | n of n as ever |
| a colleague's same title, a third Physics in #c | as ever for the first two | the words of each mean their own;
  members of the others hear nothing | each has their own |
| a changed timetable, tue,thu to tue,fri | Tuesday both; Thursday nobody; Friday who agreed | the teacher is asked
  first: this cancels Thursdays for 2 people; each member once, with a button; who doesn't agree hears the evening
  before the first Friday that nothing will be ready, with the button | Friday 1 of 1 and that 1 hasn't agreed |
| holidays: skip 22 Dec to 6 Jan | nobody from 22 December to 6 January, everybody from 7 January | each member once,
  "22 Dec-6 Jan", no list of days | none in the holidays |
| a daylight-saving night: mon 9:00 on 19 and 26 October | 9:00 Berlin: 7:00 UTC, then 8:00 UTC | ready at that hour |
  at that hour |
| a lesson in that night, sun 1:30-4:00 | one start, in the lead of 1:30 summer time, one stop at 4:00 winter time |
  ready once, warned once, at 3:55 winter time | once |
| a teacher who leaves, alone | goes on only if an Usher admin says so; unanswered not for ever | the Usher admins,
  once, before the next lesson, with buttons; nothing to the one who is gone | nobody gets them |
| a teacher who leaves, with a co-teacher | as ever | nobody is asked | to the co-teacher |
| a full provider in a lesson, room at 9:10 | one runs from the lead, the other from 9:10 | there was no room, trying
  until 9:15, once; then ready | 1 of 2, 1 without room |
| a full provider in a lesson, no room until 9:15 | one runs; nothing is started after 9:15 | there was no room, trying
  until 9:15; then that it has ended, both once | 1 of 2, 1 without room |
| after a failed lesson, the next | both | ready | 2 of 2, nothing about the failure of the week before |
| a student without a link | never | the evening before, once, with the button that links | 1 hasn't linked |
| one who links late, the day before, from elsewhere | from the next lesson on | the press that waited goes on: joined |
  counted as ready |
| one who links late, in the lesson | started at once, stopped at the lesson's end | ready; warned of the end | - |
| kill -9 in the lead | each is started once | ready once each | one report |
| a class until 10:00 and a course until 11:00, one notebook | one stop at 11:00 | warned once, of 11:00 | - |
| the end of the term | nothing is started after it | - | - |

In every case: nobody gets a message of another's course or link, a lesson leaves one message with its student, and
nothing runs that no lesson, class or person wanted.
"""
