(** * Full refills: all slots are free and all workers are empty

    [G] workers with [B] free slots each, at least [G B] waiting requests, sizes in [a, b].

    Claims: [step.full-refill-gap], [step.full-refill-tight], [fcfs.worst-case]. *)

From Coq Require Import ZArith List Lia Permutation.
From evenkeel Require Import Loads Step.
Import ListNotations.
Open Scope Z_scope.

Definition full_refill (G B : nat) (pool : list Z) : step := Step (repeat 0 G) (repeat B G) pool.

Definition refill_pool (G B : nat) (a b : Z) (pool : list Z) : Prop :=
  (G * B <= length pool)%nat /\ Forall (fun size => a <= size <= b) pool.

Definition full_refill_bound (G a b : Z) : Z := (G - 1) * (b - a).

Definition worst_imbalance (G B a b : Z) : Z := (G - 1) * B * (b - a).

(** ** Full refills as lists of groups *)

Lemma list_sum_repeat : forall B G, list_sum (repeat B G) = (G * B)%nat.
Proof. unfold list_sum. induction G; simpl; [reflexivity|]. now rewrite IHG. Qed.

Lemma after_refill : forall G B pool groups, admits (full_refill G B pool) groups ->
  after (full_refill G B pool) groups = map sum groups.
Proof.
  intros G B pool groups A. apply groups_length in A. simpl in A. rewrite repeat_length in A.
  unfold after, add_groups. simpl. subst G. induction groups; simpl; [reflexivity|].
  now rewrite IHgroups.
Qed.

Lemma refill_groups : forall G B a b pool groups, refill_pool G B a b pool ->
  admits (full_refill G B pool) groups ->
  length groups = G /\ Forall (fun group => length group = B) groups /\
  Forall (fun size => a <= size <= b) (concat groups).
Proof.
  intros G B a b pool groups [N F] A. pose proof (groups_length _ _ A) as L. simpl in L.
  rewrite repeat_length in L. split; [exact L|]. split.
  - pose proof (every_slot_filled _ _ A) as E. simpl in E. rewrite list_sum_repeat in E.
    specialize (E N). clear - E. revert E. generalize groups. induction G; intros gs E.
    + inversion E. constructor.
    + inversion E; subst. constructor; auto.
  - exact (admitted_sizes _ _ _ A F).
Qed.

Lemma groups_admit : forall G B pool groups others, admits (full_refill G B pool) groups ->
  length others = G -> Forall (fun group => length group = B) others ->
  Permutation (concat others) (concat groups) -> admits (full_refill G B pool) others.
Proof.
  intros G B pool groups others (_ & N & rest & P) L F Q. split; [|split].
  - simpl. clear - L F. revert G L. induction F; intros G L; subst G; simpl; constructor; auto. lia.
  - now rewrite (Permutation_length Q).
  - exists rest. now rewrite Q.
Qed.

(** ** The exchange argument *)

Definition squares (xs : list Z) : Z := sum (map (fun x => x * x) xs).

Lemma squares_nonnegative : forall xs, 0 <= squares xs.
Proof. unfold squares. induction xs; simpl; [lia|]. pose proof (Z.square_nonneg a). lia. Qed.

(** Of two groups of the same number of requests, the heavier has a larger request than some
    request of the lighter. *)
Lemma pair_to_swap : forall high low : list Z, length high = length low -> sum low < sum high ->
  exists x y, In x high /\ In y low /\ y < x.
Proof.
  induction high as [|x xs IH]; destruct low as [|y ys]; simpl; intros L S; try lia.
  destruct (Z_lt_le_dec y x) as [H|H]; [exists x, y; tauto|].
  destruct (IH ys) as (u & v & I & J & K); [lia|lia|]. exists u, v. tauto.
Qed.

Lemma two_members : forall A (g h : A) gs, In g gs -> In h gs -> g <> h ->
  exists rest, Permutation gs (g :: h :: rest).
Proof.
  intros A g h gs I J N. apply in_split in I. destruct I as (l & r & ->).
  assert (K : In h (l ++ r)).
  { apply in_app_or in J. apply in_or_app. destruct J as [J|[J|J]]; [tauto|congruence|tauto]. }
  apply in_split in K. destruct K as (p & q & E). exists (p ++ q).
  rewrite <- Permutation_middle, E. now rewrite <- Permutation_middle.
Qed.

Lemma concat_permutation : forall p q : list (list Z),
  Permutation p q -> Permutation (concat p) (concat q).
Proof.
  induction 1; simpl; auto using Permutation_app_head.
  - rewrite !app_assoc. apply Permutation_app_tail. apply Permutation_app_comm.
  - eapply perm_trans; eauto.
Qed.

Lemma swap_permutation : forall (x y : Z) h1 h2 l1 l2 rest,
  Permutation ((h1 ++ y :: h2) ++ (l1 ++ x :: l2) ++ rest)
              ((h1 ++ x :: h2) ++ (l1 ++ y :: l2) ++ rest).
Proof.
  assert (front : forall (x y : Z) h1 h2 l1 l2 rest,
    Permutation ((h1 ++ x :: h2) ++ (l1 ++ y :: l2) ++ rest)
                (x :: y :: (h1 ++ h2) ++ (l1 ++ l2) ++ rest)).
  { intros. rewrite <- !app_assoc. simpl. rewrite <- Permutation_middle. constructor.
    rewrite !app_assoc. rewrite <- Permutation_middle. now rewrite <- !app_assoc. }
  intros. rewrite !front. apply perm_swap.
Qed.

(** If two loads are more than [b - a] apart, swapping two requests lowers the sum of squares and
    raises no maximum. *)
Lemma swap_improves : forall a b B groups, groups <> [] -> a <= b ->
  Forall (fun group => length group = B) groups ->
  Forall (fun size => a <= size <= b) (concat groups) ->
  b - a < largest (map sum groups) - smallest (map sum groups) ->
  exists others, length others = length groups /\
    Forall (fun group => length group = B) others /\
    Permutation (concat others) (concat groups) /\
    largest (map sum others) <= largest (map sum groups) /\
    squares (map sum others) < squares (map sum groups).
Proof.
  intros a b B groups N ab L S D.
  assert (N' : map sum groups <> []) by (intros E; now apply map_eq_nil in E).
  pose proof (largest_in _ N') as I. pose proof (smallest_in _ N') as J.
  apply in_map_iff in I. destruct I as (high & EH & I).
  apply in_map_iff in J. destruct J as (low & EL & J).
  assert (NE : high <> low) by (intros ->; lia).
  destruct (two_members _ _ _ _ I J NE) as (rest & P).
  rewrite Forall_forall in L, S.
  assert (LH : length high = B) by auto. assert (LL : length low = B) by auto.
  destruct (pair_to_swap high low) as (x & y & X & Y & lt); [congruence|lia|].
  assert (Bx : a <= x <= b) by (apply S, in_concat; eauto).
  assert (By : a <= y <= b) by (apply S, in_concat; eauto).
  apply in_split in X. destruct X as (h1 & h2 & ->).
  apply in_split in Y. destruct Y as (l1 & l2 & ->).
  set (others := (h1 ++ y :: h2) :: (l1 ++ x :: l2) :: rest). exists others.
  rewrite !app_length in LH, LL. simpl in LH, LL.
  rewrite sum_app in EH, EL. simpl in EH, EL.
  pose proof (Permutation_length P) as LP. simpl in LP.
  assert (top : forall v, In v (map sum rest) -> v <= largest (map sum groups)).
  { intros v V. apply largest_above. apply in_map_iff in V. destruct V as (g & <- & V).
    apply in_map. eapply Permutation_in; [apply Permutation_sym; exact P|]. simpl. tauto. }
  repeat split.
  - simpl. congruence.
  - unfold others. repeat constructor; try (rewrite app_length; simpl; lia).
    apply Forall_forall. intros g K. apply L.
    eapply Permutation_in; [apply Permutation_sym; exact P|]. simpl. tauto.
  - rewrite (concat_permutation _ _ P). apply swap_permutation.
  - apply largest_least; [discriminate|]. unfold others. simpl. rewrite !sum_app. simpl.
    repeat constructor; [lia|lia|]. now apply Forall_forall.
  - unfold squares. rewrite (sum_permutation _ _ (Permutation_map _ (Permutation_map sum P))).
    unfold others. simpl. rewrite !sum_app. simpl. nia.
Qed.

Lemma exchange : forall a b B groups, groups <> [] -> a <= b ->
  Forall (fun group => length group = B) groups ->
  Forall (fun size => a <= size <= b) (concat groups) ->
  exists others, length others = length groups /\
    Forall (fun group => length group = B) others /\
    Permutation (concat others) (concat groups) /\
    largest (map sum others) <= largest (map sum groups) /\
    largest (map sum others) - smallest (map sum others) <= b - a.
Proof.
  intros a b B groups N ab. remember (Z.to_nat (squares (map sum groups))) as fuel eqn:E.
  revert groups N E. induction fuel as [fuel IH] using lt_wf_ind. intros groups N E L S.
  destruct (Z_lt_le_dec (b - a) (largest (map sum groups) - smallest (map sum groups))) as [D|D].
  - destruct (swap_improves a b B groups N ab L S D) as (next & L1 & L2 & P & T & Q).
    pose proof (squares_nonnegative (map sum next)).
    destruct (IH (Z.to_nat (squares (map sum next)))) with (groups := next)
      as (others & M1 & M2 & P' & T' & R); auto.
    + lia.
    + intros ->. destruct groups; simpl in *; congruence.
    + eapply Permutation_Forall; [apply Permutation_sym; exact P|exact S].
    + exists others. repeat split; auto; try congruence; try lia.
      now rewrite P'.
  - exists groups. repeat split; auto. lia.
Qed.

(** ** [step.full-refill-gap] *)

(** Some optimal admission leaves [max - min <= b - a], so the optimum is at most
    [(G - 1)(b - a)]. *)
Theorem step_full_refill_gap : forall G B a b pool, (1 <= G)%nat -> a <= b ->
  refill_pool G B a b pool ->
  (exists groups, optimal (full_refill G B pool) groups /\
     largest (after (full_refill G B pool) groups) - smallest (after (full_refill G B pool) groups)
     <= b - a) /\
  (forall v, optimum (full_refill G B pool) v -> v <= full_refill_bound (Z.of_nat G) a b).
Proof.
  intros G B a b pool g ab R. set (s := full_refill G B pool).
  assert (X : exists groups, optimal s groups /\
    largest (after s groups) - smallest (after s groups) <= b - a).
  { destruct (optimum_exists s) as (best & [A O] & _).
    destruct (refill_groups _ _ _ _ _ _ R A) as (L & F & S).
    destruct (exchange a b B best) as (others & L' & F' & P & T & D); auto.
    { intros ->. simpl in L. lia. }
    assert (A' : admits s others) by (eapply groups_admit; eauto; congruence).
    exists others. split; [split; [exact A'|]|].
    - intros q Q. apply O in Q. eapply Z.le_trans; [|exact Q]. unfold cost, imbalance, s.
      rewrite !after_refill by assumption. rewrite !map_length.
      assert (E : sum (map sum others) = sum (map sum best)).
      { assert (C : forall p, sum (map sum p) = sum (concat p)).
        { induction p; simpl; [reflexivity|]. rewrite sum_app. lia. }
        rewrite !C. now apply sum_permutation. }
      rewrite E, L'. nia.
    - unfold s. now rewrite after_refill. }
  split; [exact X|]. intros v V. destruct X as (groups & [A O] & D).
  replace v with (cost s groups) by (eapply optimum_unique; [|exact V]; exists groups; now split).
  assert (W : well_formed s).
  { split; simpl; [destruct G; simpl; [lia|discriminate]|]. now rewrite !repeat_length. }
  pose proof (imbalance_at_most _ (after_nonempty _ _ W A)) as M.
  rewrite (after_length _ _ W A) in M. unfold s at 2 in M. simpl in M.
  rewrite repeat_length in M. unfold cost, full_refill_bound. nia.
Qed.

(** ** [step.full-refill-tight] *)

Definition full_refill_extremal (G B : nat) (a b : Z) : list Z := b :: repeat a (G * B - 1).

(** The bound is attained for every [G] and [B], and no pool of sizes in [a, b] leaves more. *)
Theorem step_full_refill_tight : forall G B a b, (1 <= G)%nat -> (1 <= B)%nat -> a <= b ->
  refill_pool G B a b (full_refill_extremal G B a b) /\
  optimum (full_refill G B (full_refill_extremal G B a b)) (full_refill_bound (Z.of_nat G) a b) /\
  (forall pool v, refill_pool G B a b pool -> optimum (full_refill G B pool) v ->
     v <= full_refill_bound (Z.of_nat G) a b).
Proof.
  intros G B a b g n ab.
  assert (R : refill_pool G B a b (full_refill_extremal G B a b)).
  { split; simpl; [rewrite repeat_length; nia|]. constructor; [lia|].
    apply Forall_forall. intros x I. apply repeat_spec in I. lia. }
  split; [exact R|]. split.
  - set (s := full_refill G B (full_refill_extremal G B a b)).
    destruct (step_full_refill_gap G B a b _ g ab R) as [_ U].
    pose proof (optimum_exists s) as O. specialize (U _ O).
    replace (full_refill_bound (Z.of_nat G) a b) with (optimal_imbalance s); [exact O|].
    apply Z.le_antisymm; [exact U|]. destruct O as (groups & [A _] & <-).
    destruct (refill_groups _ _ _ _ _ _ R A) as (L & F & S).
    destruct A as (A1 & A2 & rest & P). assert (A : admits s groups) by (repeat split; eauto).
    assert (E : rest = []).
    { apply Permutation_length in P. rewrite app_length, A2 in P. unfold admissions in P.
      rewrite Nat.min_l in P; [destruct rest; simpl in *; [reflexivity|lia]|].
      simpl. rewrite list_sum_repeat, repeat_length. nia. }
    subst rest. rewrite app_nil_r in P. simpl in P.
    assert (I : In b (concat groups)).
    { eapply Permutation_in; [apply Permutation_sym; exact P|]. now left. }
    apply in_concat in I. destruct I as (top & I & J).
    assert (T : b + (Z.of_nat B - 1) * a <= sum top).
    { rewrite Forall_forall in F, S. pose proof (F _ I) as LT.
      apply in_split in J. destruct J as (l & r & ->). rewrite sum_app. simpl.
      rewrite app_length in LT. simpl in LT.
      assert (K : forall xs, (forall x, In x xs -> In x (l ++ b :: r)) ->
        Z.of_nat (length xs) * a <= sum xs).
      { intros xs H. apply (proj1 (sum_between a b xs (proj2 (Forall_forall _ _)
          (fun x K => S x (proj2 (in_concat _ _) (ex_intro _ _ (conj I (H x K)))))))). }
      pose proof (K l (fun x H => in_or_app l (b :: r) x (or_introl H))).
      pose proof (K r (fun x H => in_or_app l (b :: r) x (or_intror (or_intror H)))).
      nia. }
    unfold cost, s. rewrite after_refill by exact A. unfold imbalance, full_refill_bound.
    rewrite map_length, L.
    assert (M : sum top <= largest (map sum groups)) by now apply largest_above, in_map.
    assert (C : forall p, sum (map sum p) = sum (concat p)).
    { induction p; simpl; [reflexivity|]. rewrite sum_app. lia. }
    rewrite C, (sum_permutation _ _ P). simpl. rewrite sum_repeat.
    rewrite Nat2Z.inj_sub, Nat2Z.inj_mul by nia. nia.
  - intros pool v Q O. now apply (step_full_refill_gap G B a b pool g ab Q).
Qed.

(** ** [fcfs.worst-case] *)

Definition fcfs_extremal (G B : nat) (a b : Z) : list Z := repeat b B ++ repeat a ((G - 1) * B).

(** [v] is attained and is the largest value of [f] over the pools of a full refill. *)
Definition worst (G B : nat) (a b : Z) (f : step -> Z) (v : Z) : Prop :=
  (forall pool, refill_pool G B a b pool -> f (full_refill G B pool) <= v) /\
  (exists pool, refill_pool G B a b pool /\ f (full_refill G B pool) = v).

Lemma deal_repeat : forall a B n,
  deal (repeat B n) (repeat a (n * B)) = repeat (repeat a B) n.
Proof.
  induction n; simpl; [reflexivity|]. rewrite repeat_app, firstn_app, skipn_app.
  rewrite repeat_length, Nat.sub_diag. simpl. rewrite app_nil_r.
  rewrite firstn_all2 by (rewrite repeat_length; lia).
  rewrite skipn_all2 by (rewrite repeat_length; lia). simpl. now rewrite IHn.
Qed.

(** Worst case of first come, first served; of an optimal admission; their ratio is [B].  FCFS's is
    attained when the first worker is sent all the large requests. *)
Theorem fcfs_worst_case : forall G B a b, (1 <= G)%nat -> (1 <= B)%nat -> a <= b ->
  worst G B a b (fun s => cost s (fcfs s)) (worst_imbalance (Z.of_nat G) (Z.of_nat B) a b) /\
  (let s := full_refill G B (fcfs_extremal G B a b) in
   cost s (fcfs s) = worst_imbalance (Z.of_nat G) (Z.of_nat B) a b) /\
  worst G B a b optimal_imbalance (full_refill_bound (Z.of_nat G) a b) /\
  worst_imbalance (Z.of_nat G) (Z.of_nat B) a b
  = Z.of_nat B * full_refill_bound (Z.of_nat G) a b.
Proof.
  intros G B a b g n ab.
  assert (X : let s := full_refill G B (fcfs_extremal G B a b) in
    cost s (fcfs s) = worst_imbalance (Z.of_nat G) (Z.of_nat B) a b).
  { intros s. unfold cost, s. rewrite after_refill by apply fcfs_admits.
    destruct G as [|m]; [lia|]. unfold fcfs, full_refill, fcfs_extremal. simpl.
    rewrite Nat.sub_0_r, firstn_app, skipn_app, repeat_length, Nat.sub_diag. simpl.
    rewrite app_nil_r, firstn_all2, skipn_all2 by (rewrite repeat_length; lia). simpl.
    rewrite deal_repeat. rewrite sum_repeat.
    assert (E : map sum (repeat (repeat a B) m) = repeat (Z.of_nat B * a) m).
    { clear. induction m; simpl; [reflexivity|]. now rewrite sum_repeat, IHm. }
    rewrite E. unfold imbalance, worst_imbalance. simpl length. rewrite repeat_length.
    assert (M : largest (Z.of_nat B * b :: repeat (Z.of_nat B * a) m) = Z.of_nat B * b).
    { simpl. clear - ab. induction m; simpl; nia. }
    rewrite M. simpl sum. rewrite sum_repeat. nia. }
  split; [split|split; [exact X|split; [split|]]].
  - intros pool R. destruct R as [N S].
    assert (A := fcfs_admits (full_refill G B pool)).
    destruct (refill_groups G B a b pool _ (conj N S) A) as (L & F & T).
    unfold cost. rewrite after_refill by exact A. set (groups := fcfs _) in *.
    assert (N' : map sum groups <> []).
    { intros E. apply map_eq_nil in E. rewrite E in L. simpl in L. lia. }
    assert (K : forall v, In v (map sum groups) -> Z.of_nat B * a <= v <= Z.of_nat B * b).
    { intros v I. apply in_map_iff in I. destruct I as (group & <- & I).
      rewrite Forall_forall in F, T. rewrite <- (F _ I). apply sum_between.
      apply Forall_forall. intros x J. apply T, in_concat. eauto. }
    pose proof (imbalance_at_most _ N') as M. rewrite map_length, L in M.
    pose proof (K _ (largest_in _ N')). pose proof (K _ (smallest_in _ N')).
    unfold worst_imbalance. nia.
  - exists (fcfs_extremal G B a b). split; [|exact X]. split.
    + unfold fcfs_extremal. rewrite app_length, !repeat_length. nia.
    + apply Forall_app. split; apply Forall_forall; intros x I; apply repeat_spec in I; lia.
  - intros pool R. apply (step_full_refill_gap G B a b pool g ab R). apply optimum_exists.
  - destruct (step_full_refill_tight G B a b g n ab) as (R & O & _).
    exists (full_refill_extremal G B a b). split; [exact R|].
    eapply optimum_unique; [apply optimum_exists|exact O].
  - unfold worst_imbalance, full_refill_bound. ring.
Qed.
