# Makes an org's leads and a report of the same people, the same each time: awk -v n=100000 -v leads=leads.csv -v report=report.csv -f benches/people.awk
#
# The report is in another order, with other offsets, other number forms and other case in the keys than the org's records. `changed` of
# 1000 people differ (default 100): each in one or two of the five fields. The number of cells that differ goes to standard output.
function moment(year, day, hour, minute, second, zone) {
  return sprintf("%d-%s%s%02d:%02d:%02d%s", year, day, "T", hour, minute, second, zone)
}
BEGIN {
  if (changed == "") changed = 100
  print "\"LastName\",\"Company\",\"Email\",\"Title\",\"First_Login__c\",\"Last_Login__c\",\"Logins__c\",\"Renewal__c\"" > leads
  print "User ID,Job,First Login,Last Login,# Logins,Renewal" > report
  for (i = 0; i < n; i++) {
    day = sprintf("%02d-%02d", 1 + i % 12, 1 + i % 28)
    printf "\"Person %d\",\"Company %d\",\"person.%d@team%d.example.com\",\"Engineer %d\",\"%s\",\"%s\",\"%d.0\",\"2027-%s\"\n", \
      i, i % 977, i, i % 977, i % 50, moment(2025, day, 1 + i % 20, i % 60, (i * 7) % 60, ".000Z"), \
      moment(2026, day, 1 + i % 19, i % 60, (i * 7) % 60, ".000Z"), i % 300, day > leads
  }
  # Coprime to every power of ten, so that each comes once.
  for (i = 0; i < n; i++) {
    j = (i * 7919) % n
    day = sprintf("%02d-%02d", 1 + j % 12, 1 + j % 28)
    moved = (j * 31) % 1000 < changed
    also = moved && j % 2 == 0
    cells += moved + also
    printf "Person.%d@Team%d.example.com,%s%d,%s,%s,%d,2027-%s\n", j, j % 977, also ? "Lead Engineer " : "Engineer ", j % 50, \
      moment(2025, day, j % 20 + 3, j % 60, (j * 7) % 60, "+02:00"), moment(2026, day, j % 19, j % 60, (j * 7) % 60, "-01:00"), \
      j % 300 + moved, day > report
  }
  print cells
}
