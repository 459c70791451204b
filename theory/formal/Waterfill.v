(** * The optimal imbalance under a rich pool, in closed form

    The pool holds every integer size of [a, b] at least as often as slots are free.

    Claim: [step.waterfill]. *)

From Coq Require Import ZArith List Lia Permutation.
From evenkeel Require Import Loads Step.
Import ListNotations.
Open Scope Z_scope.

Definition rich_pool (s : step) (a b : Z) : Prop :=
  Forall (fun size => a <= size <= b) (pool s) /\
  forall size, a <= size <= b -> (list_sum (free s) <= count_occ Z.eq_dec (pool s) size)%nat.

(** [M* = max_g (l_g + c_g a)]. *)
Definition level (loads : list Z) (free : list nat) (a : Z) : Z :=
  largest (map (fun worker => fst worker + Z.of_nat (snd worker) * a) (combine loads free)).

(** [sum_g (M* - l_g - c_g b)^+]. *)
Definition waterfill (loads : list Z) (free : list nat) (a b : Z) : Z :=
  sum (map (fun worker =>
    Z.max 0 (level loads free a - fst worker - Z.of_nat (snd worker) * b)) (combine loads free)).

(** ** Lower side: every worker's load lies in [l_g + c_g a, l_g + c_g b] *)

Lemma filled_between : forall s a b groups, well_formed s ->
  Forall (fun size => a <= size <= b) (pool s) -> (list_sum (free s) <= length (pool s))%nat ->
  admits s groups ->
  Forall2 (fun worker load => fst worker + Z.of_nat (snd worker) * a <= load
                              <= fst worker + Z.of_nat (snd worker) * b)
    (combine (loads s) (free s)) (after s groups).
Proof.
  intros s a b groups [_ W] S N A.
  pose proof (every_slot_filled _ _ A N) as F. pose proof (admitted_sizes _ _ _ A S) as T.
  assert (F' : Forall2 (fun c group => length group = c /\
    Forall (fun size => a <= size <= b) group) (free s) groups).
  { clear - F T. induction F; constructor; simpl in T; apply Forall_app in T; tauto. }
  apply after_each with (before := loads s) in F'; [|exact W].
  clear - F'. unfold after. induction F' as [|w load ws ls (group & [L G] & ->) F IH];
    constructor; [|exact IH]. apply sum_between in G. rewrite L in G. lia.
Qed.

Lemma loads_between : forall s a b groups, well_formed s -> a <= b -> rich_pool s a b ->
  admits s groups ->
  Forall2 (fun worker load => fst worker + Z.of_nat (snd worker) * a <= load
                              <= fst worker + Z.of_nat (snd worker) * b)
    (combine (loads s) (free s)) (after s groups).
Proof.
  intros s a b groups W ab [S R] A. apply filled_between; auto.
  specialize (R a ltac:(lia)). pose proof (count_occ_bound Z.eq_dec a (pool s)). lia.
Qed.

Lemma Forall2_In_left : forall A B (R : A -> B -> Prop) xs ys x,
  Forall2 R xs ys -> In x xs -> exists y, In y ys /\ R x y.
Proof.
  induction 1; simpl; [tauto|]. intros [<-|I]; [eauto|]. destruct (IHForall2 I) as (z & J & K). eauto.
Qed.

Lemma workers_nonempty : forall s, well_formed s -> combine (loads s) (free s) <> [].
Proof.
  intros s [W L] E. destruct (loads s), (free s); simpl in *; congruence.
Qed.

Lemma level_is_forced : forall s a b groups, well_formed s -> a <= b -> rich_pool s a b ->
  admits s groups -> level (loads s) (free s) a <= largest (after s groups).
Proof.
  intros s a b groups W ab R A. apply largest_least.
  - intros E. apply map_eq_nil in E. now apply workers_nonempty in E.
  - apply Forall_forall. intros x I. apply in_map_iff in I. destruct I as (w & <- & I).
    destruct (Forall2_In_left _ _ _ _ _ _ (loads_between s a b groups W ab R A) I)
      as (load & J & [K _]). apply largest_above in J. lia.
Qed.

Lemma waterfill_is_a_bound : forall s a b groups, well_formed s -> a <= b -> rich_pool s a b ->
  admits s groups -> waterfill (loads s) (free s) a b <= cost s groups.
Proof.
  intros s a b groups W ab R A. pose proof (level_is_forced s a b groups W ab R A) as L.
  unfold cost. rewrite imbalance_is_the_sum_of_gaps. unfold waterfill.
  apply sum_Forall2. pose proof (loads_between s a b groups W ab R A) as F.
  assert (T : Forall (fun load => load <= largest (after s groups)) (after s groups)).
  { apply Forall_forall. exact (largest_above _). }
  revert L T. generalize (largest (after s groups)) as M. intros M L T.
  induction F as [|w load ws ls K F IH]; inversion T; subst; constructor; auto. lia.
Qed.

(** ** Upper side: loads [min (M*, l_g + c_g b)] can be reached *)

(** [c] sizes of [a, b] have every sum from [c a] to [c b]. *)
Lemma reachable : forall a b, a <= b -> forall c t, Z.of_nat c * a <= t <= Z.of_nat c * b ->
  exists group, length group = c /\ sum group = t /\ Forall (fun size => a <= size <= b) group.
Proof.
  intros a b ab. induction c as [|c IH]; intros t H.
  - exists []. repeat split; [simpl; lia|constructor].
  - set (x := Z.max a (t - Z.of_nat c * b)).
    destruct (IH (t - x)) as (group & L & S & F); [unfold x; nia|].
    exists (x :: group). simpl. repeat split; [congruence|lia|]. constructor; [|exact F].
    unfold x. nia.
Qed.

Lemma count_occ_outside : forall (P : Z -> Prop) xs x,
  Forall P xs -> ~ P x -> count_occ Z.eq_dec xs x = 0%nat.
Proof.
  intros P xs x F N. apply count_occ_not_In. intros I. rewrite Forall_forall in F. auto.
Qed.

Lemma part_of : forall xs ys : list Z,
  (forall x, (count_occ Z.eq_dec xs x <= count_occ Z.eq_dec ys x)%nat) ->
  exists rest, Permutation (xs ++ rest) ys.
Proof.
  induction xs as [|x xs IH]; intros ys H; [now exists ys|].
  assert (I : In x ys).
  { apply (count_occ_In Z.eq_dec). specialize (H x). simpl in H.
    destruct (Z.eq_dec x x); [lia|congruence]. }
  apply in_split in I. destruct I as (l & r & ->). destruct (IH (l ++ r)) as (rest & P).
  - intros y. specialize (H y). rewrite count_occ_app in *. simpl in H.
    destruct (Z.eq_dec x y); lia.
  - exists rest. simpl. rewrite P. apply Permutation_middle.
Qed.

Lemma targets_reached : forall a b M, a <= b -> forall before slots,
  length slots = length before ->
  Forall (fun worker => fst worker + Z.of_nat (snd worker) * a <= M) (combine before slots) ->
  exists groups, Forall2 (fun c group => length group = c) slots groups /\
    Forall (fun size => a <= size <= b) (concat groups) /\
    add_groups before groups
    = map (fun worker => Z.min M (fst worker + Z.of_nat (snd worker) * b)) (combine before slots).
Proof.
  intros a b M ab. induction before as [|l ls IH]; intros [|c cs] L F; simpl in *; try lia.
  - exists []. repeat split; constructor.
  - inversion F as [|? ? K F']; subst. simpl in K. destruct (IH cs) as (gs & G1 & G2 & G3); [lia|auto|].
    destruct (reachable a b ab c (Z.min M (l + Z.of_nat c * b) - l)) as (g & L' & S & T); [nia|].
    exists (g :: gs). simpl. repeat split.
    + now constructor.
    + apply Forall_app. tauto.
    + unfold add_groups in *. simpl. rewrite G3. f_equal. lia.
Qed.

Lemma groups_fill : forall slots (groups : list (list Z)),
  Forall2 (fun c group => length group = c) slots groups ->
  length (concat groups) = list_sum slots.
Proof. induction 1; simpl; [reflexivity|]. rewrite app_length, IHForall2. now subst. Qed.

Lemma waterfill_is_reached : forall s a b, well_formed s -> a <= b -> rich_pool s a b ->
  exists groups, admits s groups /\ largest (after s groups) = level (loads s) (free s) a /\
    cost s groups = waterfill (loads s) (free s) a b.
Proof.
  intros s a b W ab [S R]. set (M := level (loads s) (free s) a).
  assert (B : Forall (fun w => fst w + Z.of_nat (snd w) * a <= M) (combine (loads s) (free s))).
  { apply Forall_forall. intros w I. apply largest_above. apply in_map_iff. now exists w. }
  destruct (targets_reached a b M ab _ _ (proj2 W) B) as (groups & F & T & E).
  pose proof (groups_fill _ _ F) as N.
  assert (A : admits s groups).
  { split; [|split].
    - clear - F. induction F; constructor; auto. lia.
    - rewrite N. unfold admissions. specialize (R a ltac:(lia)).
      pose proof (count_occ_bound Z.eq_dec a (pool s)). lia.
    - apply part_of. intros x. pose proof (count_occ_bound Z.eq_dec x (concat groups)) as C.
      destruct (Z_le_dec a x), (Z_le_dec x b); try (specialize (R x ltac:(lia)); lia);
        rewrite (count_occ_outside _ _ x T) by lia; lia. }
  assert (X : largest (after s groups) = M).
  { unfold after. rewrite E. apply Z.le_antisymm.
    - apply largest_least; [intros Z; apply map_eq_nil in Z; now apply workers_nonempty in Z|].
      apply Forall_forall. intros x I. apply in_map_iff in I. destruct I as (w & <- & _). lia.
    - assert (I : In M (map (fun w => fst w + Z.of_nat (snd w) * a) (combine (loads s) (free s)))).
      { apply largest_in. intros Z. apply map_eq_nil in Z. now apply workers_nonempty in Z. }
      apply in_map_iff in I. destruct I as (w & K & I).
      apply Z.le_trans with (Z.min M (fst w + Z.of_nat (snd w) * b)); [nia|].
      apply largest_above. apply in_map_iff. now exists w. }
  exists groups. split; [exact A|]. split; [exact X|].
  unfold cost. rewrite imbalance_is_the_sum_of_gaps, X. unfold after. rewrite E.
  unfold waterfill. fold M. rewrite map_map. f_equal. apply map_ext. intros w. lia.
Qed.

(** ** [step.waterfill] *)

(** The closed form is the optimum, and [M*] is the smallest maximum of an optimal admission. *)
Theorem step_waterfill : forall s a b, well_formed s -> a <= b -> rich_pool s a b ->
  optimum s (waterfill (loads s) (free s) a b) /\
  (exists groups, optimal s groups /\ largest (after s groups) = level (loads s) (free s) a) /\
  (forall groups, optimal s groups -> level (loads s) (free s) a <= largest (after s groups)).
Proof.
  intros s a b W ab R.
  destruct (waterfill_is_reached s a b W ab R) as (groups & A & X & C).
  assert (O : optimal s groups).
  { split; [exact A|]. intros others D. rewrite C. now apply waterfill_is_a_bound. }
  split; [now exists groups|]. split; [now exists groups|].
  intros others [D _]. now apply level_is_forced with b.
Qed.
